using System.Collections.Immutable;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts;

/// <summary>An identity and what it may send as. Names and addresses are in canonical form (lower case).</summary>
/// <param name="Name">The canonical name; what logs, limits and decisions key on.</param>
/// <param name="Enabled">A disabled account can neither log in nor send.</param>
/// <param name="Addresses">It may send as each of these addresses.</param>
/// <param name="Domains">It may send as any address of each of these domains.</param>
public sealed record Account(string Name, bool Enabled, ImmutableArray<string> Addresses, ImmutableArray<string> Domains)
{
    /// <summary>Names of the accounts as which it may act, once it has proven itself (RFC 4422 §3.4.1).</summary>
    public ImmutableArray<string> ActsAs { get; init; } = [];

    /// <summary>Whose account it is, where several share a server; null for nobody's in particular.</summary>
    public string? Tenant { get; init; }

    /// <summary>
    /// How long the content of its messages is kept when their delivery is over; zero: never, whatever is said of its domain or tenant;
    /// null where nothing is said of it.
    /// </summary>
    public TimeSpan? Keep { get; init; }

    /// <summary>
    /// The store that alone knows it, or that has disabled it; null for an account of the directory, which can be given more rights.
    /// </summary>
    public string? Store { get; init; }

    /// <summary>A user of whom nothing is known but the name: it may send as that, where it is an address.</summary>
    public static Account Of(string name, bool isEnabled = true) =>
        new(name, isEnabled, Mailbox.TryParse(name, out var own) ? [own.Canonical] : [], []);

    /// <summary>The rights of both. It is disabled where one of them is.</summary>
    public Account With(Account other) => this with
    {
        Enabled = Enabled && other.Enabled,
        Addresses = [.. Addresses.Union(other.Addresses, StringComparer.Ordinal)],
        Domains = [.. Domains.Union(other.Domains, StringComparer.Ordinal)],
        ActsAs = [.. ActsAs.Union(other.ActsAs, StringComparer.Ordinal)],
        Tenant = Tenant ?? other.Tenant,
        Keep = Keep ?? other.Keep,
        Store = other.Enabled ? Store : other.Store,
    };

    /// <summary>It may send as this address. Mailboxes compare in their canonical form: <c>"A"@b</c> is <c>a@b</c>.</summary>
    public bool MaySendAs(Mailbox sender)
    {
        foreach (var address in Addresses)
        {
            if (string.Equals(address, sender.Canonical, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return HasDomain(sender.Domain);
    }

    /// <summary>It may send as any address of this domain. A grant of a domain says nothing about those below it.</summary>
    public bool HasDomain(Domain domain)
    {
        foreach (var granted in Domains)
        {
            if (string.Equals(granted, domain.Text, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }
}
