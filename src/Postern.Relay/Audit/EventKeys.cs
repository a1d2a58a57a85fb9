using System.Net;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// What an event can be found by, each as a number of 64 bits: what stands in the index of a block (<see cref="AuditIndex"/>).
/// </summary>
internal static class EventKeys
{
    private const ulong Basis = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    /// <summary>Of an event.</summary>
    public static void AddTo(HashSet<ulong> keys, in EventTraits traits)
    {
        Add(keys, 's', traits.Session);
        Add(keys, 'c', traits.Client);
        Add(keys, 'u', traits.User);
        Add(keys, 'u', traits.ActingAs);
        Add(keys, 'r', traits.Ref);
        Add(keys, 'q', traits.QueueId);
        Add(keys, 'o', traits.Outcome);
        Add(keys, 'f', traits.Sender);
        Add(keys, 'm', traits.MessageId is { } id ? AuditFilter.BareId(id) : null);
        Add(keys, 'R', traits.Rule);
        Add(keys, 'w', traits.Route);
        Add(keys, 'T', traits.Tenant);
        Add(keys, 'k', traits.Category);
        Add(keys, 'C', traits.Credential);
        AddDomain(keys, traits.Sender);
        AddRecipient(keys, traits.Recipient);
        foreach (var recipient in traits.Recipients.IsDefault ? [] : traits.Recipients)
            AddRecipient(keys, recipient);
    }

    /// <summary>Every event that the query means has all of these, or is about a message whose first event has.</summary>
    public static List<ulong> Of(AuditQuery query)
    {
        var keys = new HashSet<ulong>();
        Add(keys, 's', query.Session);
        Add(keys, 'c', AddressOf(query.Client));
        Add(keys, 'u', query.Login);
        Add(keys, 'r', query.Ref);
        Add(keys, 'q', query.QueueId);
        Add(keys, 'o', query.Outcome);
        Add(keys, 'm', query.MessageId is { } id ? AuditFilter.BareId(id) : null);
        Add(keys, 'R', query.Rule);
        Add(keys, 'w', query.Route);
        Add(keys, 'T', query.Tenant);
        Add(keys, 'k', query.Category);
        Add(keys, 'C', query.Credential);
        Add(keys, 'd', query.Domain?.TrimStart('@'));
        AddPattern(keys, 'f', query.Sender);
        AddPattern(keys, 't', query.Recipient);
        return [.. keys];
    }

    /// <summary>What leads to the events of a message.</summary>
    public static ulong OfMessage(string queueId) => Of('q', queueId);

    /// <summary>The address of a network of full length, as it stands in events; null for a wider one.</summary>
    public static string? AddressOf(IPNetwork? client) =>
        client is { } network && network.PrefixLength == network.BaseAddress.GetAddressBytes().Length * 8
            ? network.BaseAddress.ToString()
            : null;

    private static void AddPattern(HashSet<ulong> keys, char kind, string? pattern)
    {
        if (pattern is "<>")
            Add(keys, kind, string.Empty);
        else if (pattern is not null && pattern.IndexOf('@', StringComparison.Ordinal) > 0)
            Add(keys, kind, pattern);
        else
            Add(keys, 'd', pattern?.TrimStart('@'));
    }

    private static void AddRecipient(HashSet<ulong> keys, string? recipient)
    {
        Add(keys, 't', recipient);
        AddDomain(keys, recipient);
    }

    private static void AddDomain(HashSet<ulong> keys, string? address)
    {
        if (address is not null && address.LastIndexOf('@') is > 0 and var at)
            keys.Add(Of('d', address.AsSpan(at + 1)));
    }

    private static void Add(HashSet<ulong> keys, char kind, string? value)
    {
        if (value is not null)
            keys.Add(Of(kind, value));
    }

    /// <summary>Case matters not.</summary>
    private static ulong Of(char kind, ReadOnlySpan<char> value)
    {
        var hash = (Basis ^ kind) * Prime;
        foreach (var c in value)
            hash = (hash ^ (char.IsAscii(c) ? (uint)(c | (c is >= 'A' and <= 'Z' ? 0x20 : 0)) : char.ToLowerInvariant(c))) * Prime;
        hash ^= hash >> 32;
        hash *= 0x9E3779B97F4A7C15;
        return hash ^ (hash >> 29);
    }
}
