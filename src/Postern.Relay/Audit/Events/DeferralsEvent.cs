using System.Collections.Immutable;

namespace Postern.Relay.Audit.Events;

/// <summary>
/// Many messages that were put off for one reason, in one line of a file (<see cref="DeferralGroups"/>). Only files have it: whoever reads
/// one is given a <see cref="DeliveryEvent"/> for each part, the same as if each stood in a line of its own.
/// </summary>
/// <param name="At">Of the last of them.</param>
/// <param name="Parts">They are the same but for what <see cref="Unshared"/> leaves out. At least one; those to one host together.</param>
internal sealed record DeferralsEvent(DateTimeOffset At, ImmutableArray<DeliveryEvent> Parts) : AuditEvent(At)
{
    public override string Name => Type.Name;

    public override AuditKind Kind => AuditKind.Mail;

    internal static EventType Type { get; } = new("deferrals", static line =>
    {
        var shared = DeliveryEvent.Read(line, string.Empty, string.Empty, DeliveryOutcome.Deferred, attempt: 0);
        ImmutableArray<DeliveryEvent> parts = [.. line.List("hosts", host => ReadHost(host, shared)).SelectMany(static parts => parts)];
        return parts.IsEmpty ? throw new FormatException("no message was deferred") : new DeferralsEvent(line.At, parts);
    });

    internal override string Key => string.Join('\n', Parts.Select(static part => part.Key));

    internal override EventTraits Traits => default;

    private protected override long TextOctets => 0;

    /// <summary>An event without all that tells the parts of one line apart; of its time the day, which is that of its file.</summary>
    public static DeliveryEvent Unshared(DeliveryEvent part) => part with
    {
        At = new DateTimeOffset(part.At.UtcDateTime.Date, TimeSpan.Zero),
        QueueId = string.Empty,
        Recipient = string.Empty,
        Remote = null,
        RecipientIndex = 0,
        Attempt = 0,
        NextAttempt = null,
    };

    public static DeferralsEvent Of(IReadOnlyList<DeliveryEvent> parts) => new(
        parts.Max(static part => part.At),
        [.. parts.GroupBy(HostOf).SelectMany(static host => host)]);

    public override string[] ToCells() => Parts[0].ToCells();

    internal override void WriteTo(EventFields fields)
    {
        Unshared(Parts[0]).WriteSharedTo(fields);
        fields.Rows("hosts", [.. Parts.GroupBy(HostOf)], (row, host) =>
        {
            row.Item(host.Key.Remote);
            row.Item(host.Key.Domain);
            foreach (var part in host)
                row.Row(part, (item, one) => Write(item, one, host.Key.Domain));
        });
    }

    private void Write(EventFields row, DeliveryEvent part, string? domain)
    {
        row.Item(part.QueueId);
        row.Item(domain is null ? part.Recipient : part.Recipient[..^(domain.Length + 1)]);
        row.Item(part.Attempt);
        row.Item((At - part.At).Ticks);
        if (part.NextAttempt is not null || part.RecipientIndex != 0)
            row.Item(part.NextAttempt is { } next ? (long)(next - part.At).TotalMilliseconds : null);
        if (part.RecipientIndex != 0)
            row.Item(part.RecipientIndex);
    }

    private static IEnumerable<DeliveryEvent> ReadHost(EventLine host, DeliveryEvent shared)
    {
        var (remote, domain) = (host.MaybeAt(0), host.MaybeAt(1));
        foreach (var part in host.ListFrom(2))
        {
            var at = shared.At - TimeSpan.FromTicks(part.NumberAt(3) ?? 0);
            yield return shared with
            {
                At = at,
                QueueId = part.TextAt(0),
                Recipient = domain is null ? part.TextAt(1) : $"{part.TextAt(1)}@{domain}",
                Remote = remote,
                Attempt = part.CountAt(2),
                NextAttempt = part.NumberAt(4) is { } pause ? at + TimeSpan.FromMilliseconds(pause) : null,
                RecipientIndex = part.CountAt(5),
            };
        }
    }

    private static (string? Remote, string? Domain) HostOf(DeliveryEvent part) => (part.Remote, DomainOf(part.Recipient));

    /// <summary>What stands behind the last @; null where there is none.</summary>
    private static string? DomainOf(string address) =>
        address.LastIndexOf('@') is >= 0 and var at ? address[(at + 1)..] : null;
}
