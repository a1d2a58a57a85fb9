using System.Net;
using System.Text;

namespace Postern.Relay.Audit;

/// <summary>
/// A query made ready for many lines: almost all are turned away by looking for the octets of what is sought, and only the rest are
/// parsed.
/// </summary>
internal sealed class AuditFilter
{
    private readonly AuditQuery query;
    private readonly byte[]? since;
    private readonly byte[][] needles;

    public AuditFilter(AuditQuery query)
    {
        this.query = query;
        since = query.Since is { } at ? AuditTime.ToBytes(at) : null;
        needles =
        [
            .. new[] { query.Ref, query.QueueId, query.Session, query.Login, AddressOf(query.Client) }
                .OfType<string>()
                .Select(static text => Encoding.ASCII.GetBytes(AuditEncoder.Instance.Encode(text))),
        ];
    }

    /// <summary>Null when the line does not match, or is no event.</summary>
    public AuditEvent? Match(ReadOnlyMemory<byte> line) =>
        MayMatch(line.Span) && AuditEventReader.Read(line) is { } audit && Matches(audit) ? audit : null;

    private bool MayMatch(ReadOnlySpan<byte> line)
    {
        if (since is not null && IsBefore(line, since))
            return false;
        foreach (var needle in needles)
        {
            if (!ContainsIgnoringCase(line, needle))
                return false;
        }

        return true;
    }

    private bool Matches(AuditEvent audit)
    {
        var traits = AuditTraits.Of(audit);
        return query.Kinds.HasFlag(AuditKinds.Of(audit))
            && (query.Since is null || audit.At >= query.Since)
            && Same(query.Ref, traits.Ref)
            && Same(query.QueueId, traits.QueueId)
            && Same(query.Session, traits.Session)
            && (query.Login is null || Same(query.Login, traits.User) || Same(query.Login, traits.ActingAs))
            && (query.Client is not { } network || (IPAddress.TryParse(traits.Client, out var client) && network.Contains(client)));
    }

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
