using System.Net;

namespace Postern.Relay.Policy.Rules;

/// <summary>Refuses clients of some networks, whoever they say they are: <c>reject_clients 192.0.2.0/24</c>.</summary>
internal sealed class RejectClients : IRelayRule
{
    private readonly IPNetwork[] networks = [];

    public RejectClients()
    {
    }

    private RejectClients(IPNetwork[] networks) => this.networks = networks;

    public string Name => "reject_clients";

    public string Doc => "refuse (554): the client is in the networks behind the word";

    public RuleStage Stages => RuleStage.Client | RuleStage.Helo | RuleStage.Sender | RuleStage.Recipient;

    public string ArgumentsDoc =>
        "`reject_clients` in a list of rules: 554 for clients of these networks. Short: `reject_clients 192.0.2.0/24`.";

    public string Shorthand => "networks";

    public IRelayRule With(RuleStage stage, RuleArguments arguments) =>
        new RejectClients(arguments.Required("networks", ArgumentKinds.Networks, "Addresses or networks, with spaces between."));

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        foreach (var network in networks)
        {
            if (network.Contains(context.Facts.Client))
                return new(Refuse(context, network));
        }

        return new(new RuleAnswer.Pass($"client {context.Facts.Client} is in none of its networks"));
    }

    private static RuleAnswer.Refuse Refuse(RuleContext context, IPNetwork network) => new(
        Refusals.ClientRejected,
        $"client {context.Facts.Client} is in {network}",
        (_, _) => new($"take {network} out of reject_clients in rules"));
}
