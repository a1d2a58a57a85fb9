using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Policy.Tenants;

/// <summary>The tenants of which something is said. Immutable.</summary>
public sealed class TenantTable
{
    private readonly ImmutableArray<TenantTerms> all;
    private readonly FrozenDictionary<string, TenantTerms> byName;
    private readonly FrozenDictionary<string, string> byListener;
    private readonly FrozenDictionary<Domain, string> byDomain;
    private readonly NetworkTable<string> byNetwork;

    /// <param name="tenants">Of two that claim the same the first counts.</param>
    public TenantTable(IEnumerable<TenantTerms> tenants)
    {
        all = [.. tenants];
        byName = all.DistinctBy(static t => t.Name, StringComparer.OrdinalIgnoreCase)
            .ToFrozenDictionary(static t => t.Name, StringComparer.OrdinalIgnoreCase);
        byListener = all.SelectMany(static t => t.Listeners.Select(listener => (listener, t.Name))).DistinctBy(static t => t.listener)
            .ToFrozenDictionary(static t => t.listener, static t => t.Name, StringComparer.Ordinal);
        byDomain = all.SelectMany(static t => t.Domains.Select(domain => (domain, t.Name))).DistinctBy(static t => t.domain)
            .ToFrozenDictionary(static t => t.domain, static t => t.Name);
        byNetwork = new NetworkTable<string>(all.SelectMany(static t => t.Networks.Select(network => (network, t.Name))));
        Headers = [.. all.Select(static t => t.Header!).Where(static h => h is not null).Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Nothing is said of any.</summary>
    public static TenantTable Empty { get; } = new([]);

    internal ImmutableArray<TenantTerms> All => all;

    public bool IsEmpty => all.IsEmpty;

    /// <summary>The names of the fields that name tenants; they are for this server, and leave every message.</summary>
    public ImmutableArray<string> Headers { get; }

    /// <summary>Null where nothing is said of it.</summary>
    public TenantTerms? Find(string? name) => name is null ? null : byName.GetValueOrDefault(name);

    /// <summary>
    /// Whose mail it is where the account says nothing: by the listener, else the network, else the domain that a login sends as. Null for
    /// nobody's.
    /// </summary>
    public string? Of(string listener, IPAddress client, string? login, ReversePath sender) =>
        byListener.GetValueOrDefault(listener)
            ?? (byNetwork.TryFind(client, out _, out var tenant) ? tenant : null)
            ?? (login is not null && sender.Mailbox is { Domain: Domain domain } ? byDomain.GetValueOrDefault(domain) : null);
}
