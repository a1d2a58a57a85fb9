using System.Globalization;
using Postern.Relay.Accounts;

namespace Postern.Relay.Policy.Rules;

/// <summary>
/// Refuses recipients of the suppression list (<c>postern suppression</c>), each tenant's own and that of all: what bounced for good is not
/// sent again and again. It stands before the rules that permit.
/// </summary>
internal sealed class RejectSuppressedRecipient : IRelayRule
{
    internal const string Word = "reject_suppressed_recipient";

    public string Name => Word;

    public string Doc =>
        "refuse (550 5.1.1): the recipient is on the suppression list (`postern suppression`), for the sender's tenant "
            + "or for all; write it before the rules that permit";

    public RuleStage Stages => RuleStage.Recipient;

    public async ValueTask<RuleAnswer> AnswerAsync(RuleContext context, CancellationToken ct)
    {
        if (context.Recipient is not { } recipient)
            return new RuleAnswer.Pass("no recipient");
        return await context.FindSuppressionAsync(recipient, ct) is { } entry
            ? new RuleAnswer.Refuse(
                Refusals.Suppressed(context),
                Saw(entry),
                (_, _) => new(RemedyFor(entry)))
            : new RuleAnswer.Pass($"{recipient} is not suppressed");
    }

    /// <summary>The command that takes the entry away.</summary>
    public static string RemedyFor(Suppression entry) =>
        $"postern suppression remove {entry.Address}{(entry.Tenant is { } tenant ? $" --tenant {tenant}" : null)}";

    private static string Saw(Suppression entry)
    {
        var until = entry.ExpiresAt is { } at
            ? string.Create(CultureInfo.InvariantCulture, $" until {at.UtcDateTime:yyyy-MM-dd HH:mm} UTC")
            : null;
        var whose = entry.Tenant is { } tenant ? $" for {tenant}" : null;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{entry.Address} is suppressed{whose} since {entry.AddedAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC{until}: {entry.Reason}");
    }
}
