using System.Collections.Immutable;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>Which of the configured groups an entry is in. Of others nothing is asked, however many there are.</summary>
internal sealed class LdapGroups(LdapSource source)
{
    public const string MemberOf = "memberOf";

    private readonly ImmutableArray<(LdapGroup Group, string Dn)> groups =
        [.. source.Groups.Items.Select(static group => (group, LdapDn.Normalize(group.Dn) ?? string.Empty))];

    /// <summary>In the order of the configuration; what is wrong, in place of them.</summary>
    public async ValueTask<(IReadOnlyList<LdapGroup> Groups, string? Problem)> OfAsync(
        LdapEntry entry, LdapConnection connection, CancellationToken ct)
    {
        if (groups.IsEmpty)
            return ([], null);
        if (source.Membership == LdapMembership.MemberOf)
        {
            var named = entry.Texts(MemberOf).OfType<string>().Select(LdapDn.Normalize).ToHashSet(StringComparer.Ordinal);
            return ([.. groups.Where(group => named.Contains(group.Dn)).Select(static group => group.Group)], null);
        }

        var filter = source.Membership == LdapMembership.Nested
            ? LdapFilter.Is("member", entry.Dn, LdapFilter.InChain)
            : LdapFilter.AnyOf(LdapFilter.Is("member", entry.Dn), LdapFilter.Is("uniqueMember", entry.Dn));
        var found = new List<LdapGroup>();
        foreach (var (group, _) in groups)
        {
            var search = new LdapSearch(group.Dn, LdapScope.Base, filter, ["1.1"], MostEntries: 1, LdapStore.SecondsOf(source));
            var (result, entries) = await connection.SearchAsync(search, user: string.Empty, ct);
            if (entries.Length > 0 && result.IsSuccess)
                found.Add(group);
            else if (!result.IsSuccess && result.Code != LdapCode.NoSuchObject)
                return ([], $"the group {group.Dn}: {result.Reason}");
        }

        return (found, null);
    }
}
