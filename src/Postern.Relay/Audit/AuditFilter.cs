using System.Net;
using System.Text;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Audit;

/// <summary>
/// A query made ready for many lines: almost all are turned away by looking for the octets of what is sought, and only the rest are
/// parsed. What is known of messages alone (their sender, login, Message-ID) leads to their deliveries by way of their queue ids: <see cref="Learn"/>.
/// </summary>
internal sealed class AuditFilter
{
    /// <summary>Messages whose later events are found; of more, only what carries the sought text itself.</summary>
    public const int MostMessages = 100_000;

    private static readonly byte[] QueueIdLead = "\"queue_id\":\""u8.ToArray();

    private readonly AuditQuery query;
    private readonly byte[]? since;
    private readonly byte[][] needles;

    /// <summary>By queue id of each message that fits: whether its sender is in the sought domain.</summary>
    private readonly Dictionary<string, bool> messages = new(StringComparer.OrdinalIgnoreCase);

    private readonly Dictionary<string, bool>.AlternateLookup<ReadOnlySpan<char>> messagesBySpan;

    public AuditFilter(AuditQuery query)
    {
        this.query = query;
        messagesBySpan = messages.GetAlternateLookup<ReadOnlySpan<char>>();
        since = query.Since is { } at ? AuditTime.ToBytes(at) : null;
        needles =
        [
            .. new[] { query.Ref, query.QueueId, query.Session, query.Login, AddressOf(query.Client), TextOf(query.Sender), TextOf(query.Recipient), TextOf(query.Domain), BareId(query.MessageId) }
                .OfType<string>()
                .Select(static text => Encoding.ASCII.GetBytes(AuditEncoder.Instance.Encode(text))),
        ];
    }

    /// <summary>Some of what is sought stands only in the event of a message's acceptance.</summary>
    public bool LooksForMessages => query.Kinds.HasFlag(AuditKind.Mail) && (query.Client is not null || (query.Sender ?? query.Recipient ?? query.Domain ?? query.MessageId ?? query.Login) is not null);

    /// <summary>Null when the line does not match, or is no event.</summary>
    public AuditEvent? Match(ReadOnlyMemory<byte> line)
    {
        if (!MayMatch(line.Span) || AuditEventReader.Read(line) is not { } audit)
            return null;
        Learn(audit);
        return Matches(audit) ? audit : null;
    }

    /// <summary>Remembers a message that fits, so that what became of it does too.</summary>
    public void Learn(AuditEvent audit)
    {
        if (audit is AuditEvent.Accepted accepted && LooksForMessages && FitsMessage(accepted) && messages.Count < MostMessages)
            messages[accepted.QueueId] = query.Domain is { } domain && AddressPattern.IsInDomain(accepted.Sender, domain);
    }

    private bool MayMatch(ReadOnlySpan<byte> line)
    {
        if (since is not null && IsBefore(line, since))
            return false;
        return HasAll(line) || (messages.Count > 0 && IsOfKnownMessage(line));
    }

    private bool HasAll(ReadOnlySpan<byte> line)
    {
        foreach (var needle in needles)
        {
            if (!ContainsIgnoringCase(line, needle))
                return false;
        }

        return true;
    }

    private bool IsOfKnownMessage(ReadOnlySpan<byte> line)
    {
        var at = line.IndexOf(QueueIdLead);
        if (at < 0)
            return false;
        var id = line[(at + QueueIdLead.Length)..];
        id = id[..Math.Max(0, id.IndexOf((byte)'"'))];
        Span<char> text = stackalloc char[64];
        return id.Length <= text.Length && messagesBySpan.ContainsKey(text[..Encoding.ASCII.GetChars(id, text)]);
    }

    private bool Matches(AuditEvent audit)
    {
        var traits = AuditTraits.Of(audit);
        return query.Kinds.HasFlag(AuditKinds.Of(audit))
            && (query.Since is null || audit.At >= query.Since)
            && (query.Until is null || audit.At < query.Until)
            && Same(query.Ref, traits.Ref)
            && Same(query.QueueId, traits.QueueId)
            && Same(query.Session, traits.Session)
            && Same(query.Outcome, traits.Outcome)
            && FitsWhoAndWhat(audit, traits);
    }

    private bool FitsWhoAndWhat(AuditEvent audit, AuditTraits traits) => audit switch
    {
        AuditEvent.Accepted accepted => FitsMessage(accepted),
        AuditEvent.Delivery delivery => IsOfMessage(delivery.QueueId, delivery.Recipient),
        AuditEvent.Bounce bounce => !LooksForMessages || messages.ContainsKey(bounce.QueueId),
        AuditEvent.Decision decision => FitsClient(traits) && query.MessageId is null
            && (query.Sender is null || AddressPattern.Fits(decision.Sender, query.Sender))
            && (query.Recipient is null || (decision.Recipient is { } recipient && AddressPattern.Fits(recipient, query.Recipient)))
            && (query.Domain is null || AddressPattern.IsInDomain(decision.Sender, query.Domain) || (decision.Recipient is { } other && AddressPattern.IsInDomain(other, query.Domain))),
        _ => FitsClient(traits) && (query.Sender ?? query.Recipient ?? query.Domain ?? query.MessageId) is null,
    };

    private bool FitsClient(AuditTraits traits) =>
        (query.Login is null || Same(query.Login, traits.User) || Same(query.Login, traits.ActingAs))
        && (query.Client is not { } network || (IPAddress.TryParse(traits.Client, out var client) && network.Contains(client)));

    private bool FitsMessage(AuditEvent.Accepted accepted) => FitsClient(AuditTraits.Of(accepted))
        && (query.Sender is null || AddressPattern.Fits(accepted.Sender, query.Sender))
        && (query.MessageId is null || string.Equals(BareId(accepted.MessageId), BareId(query.MessageId), StringComparison.Ordinal))
        && (query.Recipient is null || accepted.Recipients.Any(r => AddressPattern.Fits(r, query.Recipient)))
        && (query.Domain is null || AddressPattern.IsInDomain(accepted.Sender, query.Domain) || accepted.Recipients.Any(r => AddressPattern.IsInDomain(r, query.Domain)));

    /// <summary>Its recipient is one that is sought, and its message is, where something of the message is.</summary>
    private bool IsOfMessage(string queueId, string recipient)
    {
        if (query.Recipient is { } wanted && !AddressPattern.Fits(recipient, wanted))
            return false;
        var isKnown = messages.TryGetValue(queueId, out var isFromDomain);
        return (isKnown || ((query.Sender ?? query.MessageId ?? query.Login) is null && query.Client is null))
            && (query.Domain is not { } domain || isFromDomain || AddressPattern.IsInDomain(recipient, domain));
    }

    private static string? TextOf(string? pattern) => pattern is null or "<>" ? null : pattern.TrimStart('@');

    private static string? BareId(string? id) => id?.Trim().Trim('<', '>');

    private static bool Same(string? sought, string? found) => sought is null || string.Equals(sought, found, StringComparison.OrdinalIgnoreCase);

    private static string? AddressOf(IPNetwork? client) =>
        client is { } network && network.PrefixLength == network.BaseAddress.GetAddressBytes().Length * 8 ? network.BaseAddress.ToString() : null;

    private static bool IsBefore(ReadOnlySpan<byte> line, ReadOnlySpan<byte> time) =>
        line.Length > AuditTime.Lead.Length + AuditTime.Length
        && line.StartsWith(AuditTime.Lead)
        && line.Slice(AuditTime.Lead.Length, AuditTime.Length).SequenceCompareTo(time) < 0;

    private static bool ContainsIgnoringCase(ReadOnlySpan<byte> line, ReadOnlySpan<byte> needle)
    {
        if (needle.IsEmpty)
            return true;
        var lower = needle[0] is >= (byte)'A' and <= (byte)'Z' ? (byte)(needle[0] | 0x20) : needle[0];
        var upper = lower is >= (byte)'a' and <= (byte)'z' ? (byte)(lower & ~0x20) : lower;
        while (true)
        {
            var at = line.IndexOfAny(lower, upper);
            if (at < 0 || line.Length - at < needle.Length)
                return false;
            if (Ascii.EqualsIgnoreCase(line.Slice(at, needle.Length), needle))
                return true;
            line = line[(at + 1)..];
        }
    }
}
