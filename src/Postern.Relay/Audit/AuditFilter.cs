using System.Collections.Immutable;
using System.Net;
using System.Text;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;

namespace Postern.Relay.Audit;

/// <summary>
/// A query made ready for many lines: almost all are turned away by looking for the octets of what is sought, and only the rest are parsed.
/// What is known of messages alone (their sender, login, Message-ID) leads to their deliveries by way of their queue ids:
/// <see cref="Learn"/>.
/// </summary>
internal sealed class AuditFilter
{
    /// <summary>Messages whose later events are found; of more, only what carries the sought text itself.</summary>
    public const int MostMessages = 100_000;

    /// <summary>With more messages than that, blocks are read rather than asked for each of them.</summary>
    private const int MostKeysOfMessages = 1_000;

    private static readonly byte[] QueueIdLead = "\"queue_id\":\""u8.ToArray();

    /// <summary>Of the time and what stands around it.</summary>
    private static readonly int BeforeName = AuditTime.Lead.Length + AuditTime.Length + 1;

    private static readonly byte[] DeferralsName = Encoding.ASCII.GetBytes($",\"event\":\"{DeferralsEvent.Type.Name}\"");

    private readonly AuditQuery query;
    private readonly byte[]? since;
    private readonly byte[]? queueId;
    private readonly byte[][] needles;

    /// <summary>By queue id of each message that fits: whether its sender is in the sought domain.</summary>
    private readonly Dictionary<string, bool> messages = new(StringComparer.OrdinalIgnoreCase);

    private readonly Dictionary<string, bool>.AlternateLookup<ReadOnlySpan<char>> messagesBySpan;

    /// <summary>What an event that is meant has, by the index of its block; and what leads to the events of a message that is.</summary>
    private readonly List<ulong> keys;

    private readonly List<ulong> keysOfMessages = [];

    public AuditFilter(AuditQuery query)
    {
        this.query = query;
        keys = EventKeys.Of(query);
        messagesBySpan = messages.GetAlternateLookup<ReadOnlySpan<char>>();
        since = query.Since is { } at ? AuditTime.ToBytes(at) : null;
        queueId = query.QueueId is { } id ? Needle(id) : null;
        needles =
        [
            .. new[]
                {
                    query.Ref, query.QueueId, query.Session, query.Login, EventKeys.AddressOf(query.Client), TextOf(query.Sender),
                    TextOf(query.Recipient), TextOf(query.Domain),
                    BareId(query.MessageId), query.Rule, query.Route, query.Tenant, query.Category, query.Credential,
                }
                .OfType<string>()
                .Select(Needle),
        ];
    }

    /// <summary>Some of what is sought stands only in the event of a message's acceptance.</summary>
    public bool LooksForMessages =>
        query.Kinds.HasFlag(AuditKind.Mail)
        && (query.Client is not null
            || (query.Sender ?? query.Recipient ?? query.Domain ?? query.MessageId ?? query.Login ?? query.Tenant) is not null);

    /// <summary>The index of a block can tell that nothing is in it that is meant.</summary>
    public bool HasKeys => keys.Count > 0 || since is not null || query.Until is not null;

    /// <summary>False: nothing in the block is meant.</summary>
    public bool MayBeIn(AuditBlock block)
    {
        if (block.LastTicks < (query.Since?.UtcTicks ?? long.MinValue) || block.FirstTicks >= (query.Until?.UtcTicks ?? long.MaxValue))
            return false;
        return keys.TrueForAll(block.MayHave) || keysOfMessages.Count > MostKeysOfMessages || keysOfMessages.Exists(block.MayHave);
    }

    /// <summary>The events of a line that match, the newest first; none where it does not match, or is no event.</summary>
    public ImmutableArray<AuditEvent> Match(ReadOnlyMemory<byte> line)
    {
        if (!MayMatch(line.Span) || AuditEvents.Read(line) is not { } audit)
            return [];
        if (audit is DeferralsEvent { Parts: var parts })
            return [.. parts.Where(Takes).OrderByDescending(static part => part.At)];
        return Takes(audit) ? [audit] : [];
    }

    /// <summary>The same of an event that is at hand. Not for several at a time.</summary>
    public bool Takes(AuditEvent audit)
    {
        Learn(audit);
        return Matches(audit);
    }

    /// <summary>Remembers a message that fits, so that what became of it does too.</summary>
    public void Learn(AuditEvent audit)
    {
        var traits = audit.Traits;
        if (traits is { BeginsMessage: true, QueueId: { } id } && LooksForMessages && Fits(traits) && messages.Count < MostMessages)
        {
            if (!messages.ContainsKey(id))
                keysOfMessages.Add(EventKeys.OfMessage(id));
            messages[id] = query.Domain is { } domain && traits.Sender is { } sender && AddressPattern.IsInDomain(sender, domain);
        }
    }

    private bool MayMatch(ReadOnlySpan<byte> line)
    {
        if (since is not null && IsBefore(line, since))
            return false;
        // Its recipients stand there without their domain, and it is about many messages.
        if (IsDeferrals(line))
            return queueId is null || ContainsIgnoringCase(line, queueId);
        return HasAll(line) || (messages.Count > 0 && IsOfKnownMessage(line));
    }

    private static bool IsDeferrals(ReadOnlySpan<byte> line) =>
        line.Length > BeforeName && line[BeforeName..].StartsWith(DeferralsName);

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
        var traits = audit.Traits;
        return query.Kinds.HasFlag(audit.Kind)
            && (query.Since is null || audit.At >= query.Since)
            && (query.Until is null || audit.At < query.Until)
            && Same(query.Ref, traits.Ref)
            && Same(query.QueueId, traits.QueueId)
            && Same(query.Session, traits.Session)
            && Same(query.Outcome, traits.Outcome)
            && (query.AnyOutcome.IsDefaultOrEmpty
                || (traits.Outcome is { } outcome
                    && query.AnyOutcome.Contains(outcome, StringComparer.OrdinalIgnoreCase)))
            && Same(query.Rule, traits.Rule)
            && Same(query.Route, traits.Route)
            && Same(query.Category, traits.Category)
            && Same(query.Credential, traits.Credential)
            && (traits.ContinuesMessage ? IsOfMessage(traits) : Fits(traits));
    }

    private bool Fits(in EventTraits traits) => FitsClient(traits)
        && Same(query.Tenant, traits.Tenant)
        && (query.Sender is null || (traits.Sender is { } sender && AddressPattern.Fits(sender, query.Sender)))
        && (query.MessageId is null
            || (traits.MessageId is { } id && string.Equals(BareId(id), BareId(query.MessageId), StringComparison.Ordinal)))
        && (query.Recipient is null || traits.HasRecipient(AddressPattern.Fits, query.Recipient))
        && (query.Domain is null
            || (traits.Sender is { } from && AddressPattern.IsInDomain(from, query.Domain))
            || traits.HasRecipient(AddressPattern.IsInDomain, query.Domain));

    private bool FitsClient(in EventTraits traits) =>
        (query.Login is null || Same(query.Login, traits.User) || Same(query.Login, traits.ActingAs))
        && (query.Client is not { } network || (IPAddress.TryParse(traits.Client, out var client) && network.Contains(client)));

    /// <summary>Its recipient, if it is about one, is one that is sought, and its message is, where something of the message is.</summary>
    private bool IsOfMessage(in EventTraits traits)
    {
        var isFromDomain = false;
        var isKnown = traits.QueueId is { } id && messages.TryGetValue(id, out isFromDomain);
        if (traits.Recipient is not { } recipient)
            return !LooksForMessages || isKnown;
        if (query.Recipient is { } wanted && !AddressPattern.Fits(recipient, wanted))
            return false;
        return (isKnown || ((query.Sender ?? query.MessageId ?? query.Login ?? query.Tenant) is null && query.Client is null))
            && (query.Domain is not { } domain || isFromDomain || AddressPattern.IsInDomain(recipient, domain));
    }

    /// <summary>A text as it stands in a line.</summary>
    private static byte[] Needle(string text) => Encoding.ASCII.GetBytes(AuditEncoder.Instance.Encode(text));

    private static string? TextOf(string? pattern) => pattern is null or "<>" ? null : pattern.TrimStart('@');

    /// <summary>A Message-ID without its angle brackets.</summary>
    public static string? BareId(string? id) => id?.Trim().Trim('<', '>');

    private static bool Same(string? sought, string? found) =>
        sought is null || string.Equals(sought, found, StringComparison.OrdinalIgnoreCase);

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
