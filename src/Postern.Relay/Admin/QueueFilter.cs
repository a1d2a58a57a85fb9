using System.Collections.Immutable;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Admin;

/// <summary>Which messages are meant: those that fit everything that is set. Nothing set means every message.</summary>
public sealed record QueueFilter
{
    public static QueueFilter Everything { get; } = new();

    /// <summary>One of these; empty for any.</summary>
    public ImmutableArray<string> Ids { get; init; } = [];

    /// <summary>The sender: an address, a domain, or <c>&lt;&gt;</c> for bounces.</summary>
    public string? From { get; init; }

    /// <summary>A recipient that still waits: an address or a domain.</summary>
    public string? To { get; init; }

    /// <summary>The domain of the sender or of a recipient that still waits.</summary>
    public string? Domain { get; init; }

    /// <summary>Arrived before this time.</summary>
    public DateTimeOffset? ArrivedBefore { get; init; }

    /// <summary>Held, or not held.</summary>
    public bool? Held { get; init; }

    /// <summary>Nothing is set.</summary>
    public bool IsEverything => Ids.IsDefaultOrEmpty && From is null && To is null && Domain is null && ArrivedBefore is null && Held is null;

    public bool Matches(SpoolEntry entry)
    {
        var envelope = entry.Envelope;
        return (Ids.IsDefaultOrEmpty || Ids.Any(id => QueueId.TryParse(id, out var wanted) && wanted == envelope.Id))
            && (From is null || IsSender(envelope.Sender, From))
            && (To is null || AnyWaiting(entry, To))
            && (Domain is null || IsDomain(envelope.Sender.Mailbox, Domain) || AnyWaiting(entry, Domain))
            && (ArrivedBefore is not { } limit || envelope.ArrivedAt < limit)
            && (Held is not { } held || entry.State.Held == held);
    }

    private static bool IsSender(ReversePath sender, string wanted) =>
        wanted is "<>" ? sender.IsNull : sender.Mailbox is { } mailbox && Is(mailbox, wanted);

    private static bool AnyWaiting(SpoolEntry entry, string wanted)
    {
        for (var i = 0; i < entry.Envelope.Recipients.Length; i++)
        {
            if (entry.State.Recipients[i].Status == RecipientStatus.Pending && Is(entry.Envelope.Recipients[i], wanted))
                return true;
        }

        return false;
    }

    private static bool Is(Mailbox mailbox, string wanted) =>
        wanted.IndexOf('@', StringComparison.Ordinal) > 0 ? string.Equals(mailbox.Address, wanted, StringComparison.OrdinalIgnoreCase) : IsDomain(mailbox, wanted);

    private static bool IsDomain(Mailbox? mailbox, string wanted) =>
        mailbox is not null && string.Equals(mailbox.Domain.Text, wanted.TrimStart('@'), StringComparison.OrdinalIgnoreCase);
}
