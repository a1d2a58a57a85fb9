using System.Collections.Immutable;

namespace Postern.Relay.Dkim;

/// <summary>How mail is signed.</summary>
public sealed record DkimOptions
{
    /// <summary>Of the signed header fields.</summary>
    public DkimCanonicalization Header { get; init; }

    /// <summary>Of the body.</summary>
    public DkimCanonicalization Body { get; init; }

    /// <summary>
    /// Domains, in canonical form, whose mail waits where no key of theirs signs it; so does that of the domains below them.
    /// </summary>
    public ImmutableArray<string> Required { get; init; } = [];

    /// <summary>By whom mail is signed whose author's domain has no key here; the first that fits.</summary>
    public ImmutableArray<DkimFallback> Fallback { get; init; } = [];

    /// <summary>How old a key gets before another follows; null: keys are changed by hand.</summary>
    public TimeSpan? Rotate { get; init; }

    /// <summary>So long before its turn the next key is made, so that its record can be published.</summary>
    public TimeSpan Announce { get; init; } = TimeSpan.FromDays(14);

    /// <summary>So long the record of a key is wanted after another has followed.</summary>
    public TimeSpan Overlap { get; init; } = TimeSpan.FromDays(7);
}

/// <summary>A domain that signs for others.</summary>
/// <param name="Domain">In canonical form.</param>
/// <param name="Tenants">Empty: whatever the tenant is.</param>
/// <param name="Logins">Empty: whatever the login is, and without one.</param>
public sealed record DkimFallback(string Domain, ImmutableArray<string> Tenants, ImmutableArray<string> Logins)
{
    internal bool Fits(string? tenant, string? login) => Has(Tenants, tenant) && Has(Logins, login);

    private static bool Has(ImmutableArray<string> wanted, string? name) =>
        wanted.IsEmpty || (name is not null && wanted.Contains(name, StringComparer.OrdinalIgnoreCase));
}
