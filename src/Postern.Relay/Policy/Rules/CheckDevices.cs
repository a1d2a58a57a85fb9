using Postern.Relay.Policy.Devices;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Asks the rules that an entry of <c>devices</c> comes to, for clients that are among them. A listener that is there for devices takes
/// nothing from anybody else.
/// </summary>
internal sealed class CheckDevices : IRelayRule
{
    public const string Word = "check_devices";

    private readonly RuleStage stage = RuleStage.Recipient;

    public CheckDevices()
    {
    }

    private CheckDevices(RuleStage stage) => this.stage = stage;

    public string Name => Word;

    public string Doc =>
        "what `devices` says of printers and scanners: ask the rules that their entry comes to, which decide; refuse (554) a client that "
            + "is none of them, on a listener of theirs, and (530, 550) one that has to log in and has not; others pass. Asked first in "
            + "every list, unless you write it elsewhere";

    public RuleStage Stages => RelayRules.EveryStage;

    public IRelayRule With(RuleStage stage, RuleArguments arguments) => new CheckDevices(stage);

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => new(Answer(context, context.Options.Devices));

    private RuleAnswer Answer(RuleContext context, DeviceTable devices)
    {
        var facts = context.Facts;
        if (facts.IsSystemUser || devices.IsEmpty)
            return new RuleAnswer.Pass("no device");
        if (context.Device is not { } terms)
            return devices.IsOwn(facts.Listener)
                ? new RuleAnswer.Refuse(
                    Refusals.NoDevice(context),
                    $"client {facts.Client} is in no 'clients' of the devices that connect to {facts.Listener}",
                    static (asked, _) => new(Widen(asked)))
                {
                    Mend = static world => world.Devices.Add(
                        terms => terms.Listeners.Contains(world.Facts.Listener, StringComparer.OrdinalIgnoreCase)
                            ? terms with { Clients = [.. terms.Clients, world.ClientAlone] }
                            : terms),
                }
                : new RuleAnswer.Pass($"client {facts.Client} is none of devices");
        var saw = terms.Clients.IsEmpty
            ? $"devices '{terms.Name}' are all clients of {facts.Listener}"
            : $"client {facts.Client} is one of devices '{terms.Name}'";
        if (terms.Login == LoginNeed.Required && facts.Login is null)
            return stage is RuleStage.Client or RuleStage.Helo
                ? new RuleAnswer.Pass($"{saw}, which log in")
                : new RuleAnswer.Refuse(Refusals.NotLoggedIn(context), $"{saw}, which have to log in", Remedies.LogInAsync);
        return terms.RulesAt(stage).IsEmpty
            ? new RuleAnswer.Pass($"{saw}: what 'rules' say counts")
            : new RuleAnswer.Ask(terms.ListAt(stage), saw);
    }

    private static string Widen(RuleContext context)
    {
        var names = context.Options.Devices.All.Where(
            terms => terms.Listeners.Contains(context.Facts.Listener, StringComparer.OrdinalIgnoreCase)).Select(static t => $"'{t.Name}'");
        return $"add {Remedies.Network(context)} to clients of devices {string.Join(" or ", names)} in postern.yaml";
    }
}
