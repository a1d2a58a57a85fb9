using System.Buffers;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Permits recipients in accepted domains, from anyone, and refuses all others. A local part that asks to be sent on from here
/// (<c>user%other@ours</c>, <c>other!user@ours</c>, <c>"user@other"@ours</c>) is refused like the foreign recipient it means.
/// </summary>
internal sealed class RejectUnauthDestination : IRelayRule
{
    /// <summary>Quoted or not: the quotes fall away at the next hop that believes in such routing.</summary>
    private static readonly SearchValues<char> Routing = SearchValues.Create("@%!");

    internal const string Word = "reject_unauth_destination";

    public string Name => Word;

    public string Doc =>
        "permit: the recipient's domain is accepted here and its local part asks for no routing (`%`, `!`, `@`); refuse "
            + "all others";

    public RuleStage Stages => RuleStage.Recipient;

    /// <summary>A server that the message goes on to may read another domain in it.</summary>
    public static bool AsksForRouting(Mailbox recipient) => recipient.LocalPart.AsSpan().ContainsAny(Routing);

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Recipient is not { } recipient)
            return new RuleAnswer.Refuse(Refusals.RelayDenied(context), "no recipient");
        if (context.Rewritten is SrsAnswer.Leads(var sender))
            return new RuleAnswer.Permit($"it was made here for mail of {sender} that was forwarded, and leads to that sender");
        if (!await context.AcceptsAsync(recipient.Domain, ct))
            return new RuleAnswer.Refuse(
                Refusals.RelayDenied(context), $"{recipient.Domain} is not a domain accepted here", Remedies.AcceptDomainAsync);
        return AsksForRouting(recipient)
            ? new RuleAnswer.Refuse(
                Refusals.RelayDenied(context),
                $"{recipient.Domain} is accepted here, but {recipient.LocalPart} asks for routing",
                Remedies.LogInAsync)
            : new RuleAnswer.Permit($"{recipient.Domain} is accepted here from anyone");
    }
}
