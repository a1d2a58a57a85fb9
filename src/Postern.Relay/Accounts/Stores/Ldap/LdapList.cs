using System.Collections.Immutable;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>A list that is equal to another with the same values: two entries of a configuration that say the same are one store.</summary>
internal sealed record LdapList<T>(ImmutableArray<T> Items)
{
    public static LdapList<T> Empty { get; } = new([]);

    public bool Equals(LdapList<T>? other) => other is not null && Items.SequenceEqual(other.Items);

    public override int GetHashCode() => Items.Length;

    public override string ToString() => string.Join(", ", Items);
}
