using System.Collections.Immutable;
using System.Text;
using System.Text.Unicode;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>An entry that a server has told.</summary>
/// <param name="Dn">As the server writes it; a bind uses it to the letter.</param>
/// <param name="Attributes">By name in any case. Only those with values that were asked for and may be read.</param>
internal sealed record LdapEntry(string Dn, ImmutableDictionary<string, ImmutableArray<byte[]>> Attributes)
{
    /// <summary>The values as text; null in place of one that is none.</summary>
    public IEnumerable<string?> Texts(string attribute) =>
        Attributes.TryGetValue(attribute, out var values)
            ? values.Select(static octets => Utf8.IsValid(octets) ? Encoding.UTF8.GetString(octets) : null)
            : [];

    /// <summary>Nothing of the values: some are secret.</summary>
    public override string ToString() => Dn;
}
