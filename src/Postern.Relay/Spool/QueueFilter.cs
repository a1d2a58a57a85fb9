using System.Collections.Immutable;
using Postern.Relay.Audit;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Spool;

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

    /// <summary>Submitted by this login, in any case.</summary>
    public string? Login { get; init; }

    /// <summary>Of accounts of this tenant, in any case.</summary>
    public string? Tenant { get; init; }

    /// <summary>From a client in this network, in CIDR notation; an address for itself.</summary>
    public string? Client { get; init; }

    /// <summary>Arrived at this time or later.</summary>
    public DateTimeOffset? ArrivedSince { get; init; }

    /// <summary>
    /// <c>waiting</c>, <c>deferred</c> or <c>held</c>; <c>delivered</c> or <c>failed</c> for messages with a recipient that is done while
    /// others wait.
    /// </summary>
    public string? Outcome { get; init; }

    /// <summary>The last reply for a recipient that still waits holds this text, in any case.</summary>
    public string? Cause { get; init; }

    /// <summary>Arrived before this time.</summary>
    public DateTimeOffset? ArrivedBefore { get; init; }

    /// <summary>Held, or not held.</summary>
    public bool? Held { get; init; }

    /// <summary>Nothing is set.</summary>
    public bool IsEverything =>
        Ids.IsDefaultOrEmpty && From is null && To is null && Domain is null && ArrivedBefore is null && Held is null
        && Login is null && Tenant is null && Client is null && ArrivedSince is null && Outcome is null && Cause is null;

    public bool Matches(SpoolEntry entry)
    {
        var envelope = entry.Envelope;
        return (Ids.IsDefaultOrEmpty || Ids.Any(id => QueueId.TryParse(id, out var wanted) && wanted == envelope.Id))
            && (From is null || AddressPattern.Fits(envelope.Sender.Address, From))
            && (To is null || AnyWaiting(entry, To))
            && (Domain is null || AddressPattern.IsInDomain(envelope.Sender.Address, Domain) || AnyWaiting(entry, Domain))
            && (Login is null || string.Equals(envelope.Login, Login, StringComparison.OrdinalIgnoreCase))
            && (Tenant is null || string.Equals(envelope.Tenant, Tenant, StringComparison.OrdinalIgnoreCase))
            && (Client is null
                || (envelope.Client is { } client && AuditQuery.NetworkOf(Client) is { } network && network.Contains(client)))
            && (ArrivedBefore is not { } limit || envelope.ArrivedAt < limit)
            && (ArrivedSince is not { } since || envelope.ArrivedAt >= since)
            && (Outcome is null || Has(entry, Outcome))
            && (Cause is null || entry.State.Recipients.Any(
                r => r.Status == RecipientStatus.Pending && r.LastReply?.Contains(Cause, StringComparison.OrdinalIgnoreCase) == true))
            && (Held is not { } held || entry.State.Held == held);
    }

    /// <summary>
    /// The recipients of a message that still wait and that the filter names; where it names none, all that wait.
    /// </summary>
    public ImmutableArray<int> RecipientsOf(SpoolEntry entry) =>
    [
        .. Enumerable.Range(0, entry.Envelope.Recipients.Length).Where(i =>
            entry.State.Recipients[i].Status == RecipientStatus.Pending
            && (To is null || AddressPattern.Fits(entry.Envelope.Recipients[i].Address, To))
            && (Domain is null
                || AddressPattern.IsInDomain(entry.Envelope.Sender.Address, Domain)
                || AddressPattern.Fits(entry.Envelope.Recipients[i].Address, Domain))
            && (Cause is null || entry.State.Recipients[i].LastReply?.Contains(Cause, StringComparison.OrdinalIgnoreCase) == true)),
    ];

    private static bool AnyWaiting(SpoolEntry entry, string wanted)
    {
        for (var i = 0; i < entry.Envelope.Recipients.Length; i++)
        {
            if (entry.State.Recipients[i].Status == RecipientStatus.Pending
                && AddressPattern.Fits(entry.Envelope.Recipients[i].Address, wanted))
                return true;
        }

        return false;
    }

    private static bool Has(SpoolEntry entry, string outcome) => outcome switch
    {
        "held" => entry.State.Held,
        "waiting" => entry.State is { Held: false, Attempts: 0 },
        "deferred" => entry.State is { Held: false, Attempts: > 0 },
        "delivered" => entry.State.Recipients.Any(static r => r.Status == RecipientStatus.Delivered),
        "failed" => entry.State.Recipients.Any(static r => r.Status == RecipientStatus.Failed),
        _ => false,
    };
}
