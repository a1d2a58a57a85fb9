using System.Net.Sockets;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules.Names;

/// <summary>
/// Refuses a client without a login whose HELO or EHLO names neither a domain with a dot nor an address in brackets (RFC 5321 §4.1.4).
/// Programs of users call themselves anything, so a login is not asked.
/// </summary>
internal sealed class RejectNonFqdnHeloHostname : IRelayRule
{
    public string Name => "reject_non_fqdn_helo_hostname";

    public string Doc =>
        "refuse (504): not logged in, and the name in HELO or EHLO is neither a domain with a dot nor an address in "
            + "brackets";

    public RuleStage Stages => RuleStage.Helo | RuleStage.Sender | RuleStage.Recipient;

    public ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct) => new(context.Facts switch
    {
        { Login: not null } => new RuleAnswer.Pass("logged in"),
        { Helo: null } => new RuleAnswer.Pass("the name is not known"),
        { Helo: { } name } when Domain.TryParse(System.Text.Encoding.UTF8.GetBytes(name), out var domain)
            && (domain.Literal is not null || domain.Text.Contains('.', StringComparison.Ordinal)) =>
            new RuleAnswer.Pass($"{domain} is a whole name"),
        { Helo: { } name } => new RuleAnswer.Refuse(
            Refusals.HeloRejected,
            $"{name} is no whole name",
            static (context, _) => new($"have the client say a name with a dot in EHLO, or its address: EHLO {Literal(context.Facts)}"))
        {
            Mend = static world => world.Facts = world.Facts with { Helo = Literal(world.Facts) },
        },
    });

    private static string Literal(EnvelopeFacts facts) =>
        facts.Client.AddressFamily == AddressFamily.InterNetworkV6 ? $"[IPv6:{facts.Client}]" : $"[{facts.Client}]";
}
