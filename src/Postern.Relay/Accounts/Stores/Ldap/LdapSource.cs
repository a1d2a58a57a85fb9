using System.Collections.Immutable;
using Postern.Sasl;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts.Stores.Ldap;

/// <summary>An entry of <c>accounts</c> that an LDAP server answers.</summary>
internal sealed record LdapSource : AccountSource
{
    private const string UsualFilter = "(|(uid=@user)(mail=@user))";
    private const string ActiveDirectoryFilter =
        "(&(objectCategory=person)(objectClass=user)(|(sAMAccountName=@user)(userPrincipalName=@user)))";

    private static readonly ImmutableArray<string> UsualAddresses = ["mail", "mailAlternateAddress", "proxyAddresses"];

    private LdapSource(AccountSource source)
        : base(source)
    {
    }

    /// <summary>Null where the URI is none.</summary>
    public LdapAddress? Address { get; private init; }

    /// <summary>Asked in this order where those before do not answer.</summary>
    public LdapList<LdapAddress> Replicas { get; private init; } = LdapList<LdapAddress>.Empty;

    /// <summary>As whom this server searches; null for nobody in particular.</summary>
    public string? Bind { get; private init; }

    public Secret? Password { get; private init; }

    public string Filter { get; private init; } = UsualFilter;

    public LdapScope Scope { get; private init; } = LdapScope.Sub;

    /// <summary>As whom a user binds without a search; null where one is made.</summary>
    public string? Dn { get; private init; }

    public LdapTls Tls { get; private init; }

    /// <summary>A file of certificates that are trusted there in place of the system's.</summary>
    public string? Authorities { get; private init; }

    /// <summary>The attribute with stored forms of passwords; null where the server is asked by a bind.</summary>
    public string? SecretAttribute { get; private init; }

    public LdapAttributes Attributes { get; private init; } = new(null, new(UsualAddresses), null, null, null);

    public LdapMembership Membership { get; private init; }

    public LdapList<LdapGroup> Groups { get; private init; } = LdapList<LdapGroup>.Empty;

    public static AccountSource Read(IStoreSection section, AccountSource source)
    {
        var address = LdapAddress.Parse(source.Uri, out _);
        var filter = section.Word(
            "schema",
            [("openldap", UsualFilter), ("active_directory", ActiveDirectoryFilter)],
            UsualFilter,
            "`openldap`",
            $"Which `filter` is the usual one: `{InTable(UsualFilter)}`, or for Active Directory `{InTable(ActiveDirectoryFilter)}`.");
        var read = new LdapSource(source)
        {
            Address = address,
            Replicas = new([.. ReadReplicas(section, address)]),
            Bind = section.Text(
                "bind", "nobody in particular", "As whom this server searches there: a DN, or as Active Directory calls it."),
            Password = section.Secret("password", "What this server binds with."),
            Filter = section.Text(
                "filter",
                "that of `schema`",
                "The filter (RFC 4515) that finds a user: `@user` stands for the name, whatever signs it holds. It finds one entry; of "
                    + "several none is taken. A user is who bears the name in an attribute that is compared with it.") ?? filter,
            Scope = section.Word(
                "scope",
                [("sub", LdapScope.Sub), ("one", LdapScope.One)],
                LdapScope.Sub,
                "`sub`",
                "`sub`: the base of the URI and all below it. `one`: what stands directly below it."),
            Dn = section.Text(
                "dn",
                "a search, and a bind as the entry that it finds",
                "Binds without a search: as `uid=@user,ou=people,dc=example,dc=org`, or `@user` in Active Directory (its name with a "
                    + "domain). Nothing is known of such a user but the name, and of nobody before his password is right."),
            Tls = section.Word(
                "tls",
                [("starttls", LdapTls.StartTls), ("ldaps", LdapTls.Ldaps), ("none", LdapTls.None)],
                UsualTls(address),
                "`ldaps` for `ldaps://`; `starttls` for `ldap://`, on this machine `none`",
                "`starttls`: TLS that begins in clear. `ldaps`: from the first octet on. In both the server's certificate is good and "
                    + "bears its name. `none`: in clear."),
            Authorities = section.FilePath(
                "ca", "the system's", "A file of certificates (PEM): the server's must lead to one of these."),
            SecretAttribute = section.Text(
                "secret",
                "none: the server checks passwords",
                "The attribute with stored forms, such as `userPassword`: then passwords are checked here, without a bind, and mechanisms "
                    + "follow the forms."),
            Attributes = section.Child("attributes", ReadAttributes, "What is read of the entry of a user."),
            Membership = section.Word(
                "membership",
                [("memberOf", LdapMembership.MemberOf), ("member", LdapMembership.Member), ("nested", LdapMembership.Nested)],
                LdapMembership.MemberOf,
                "`memberOf`",
                "How it is known who is in a group of `groups`. `memberOf`: the user's entry says so. `member`: the group is asked for the "
                    + "user, in `member` and `uniqueMember`. `nested`: the same with groups within groups, in Active Directory."),
            Groups = new(section.Children("groups", ReadGroup, "What members of a group may, beside what they may anyway.")),
        };
        read.Judge(section);
        return read;
    }

    /// <summary>What is wrong with the URI.</summary>
    public static string? WhyNot(AccountSource source) =>
        LdapAddress.Parse(source.Uri, out var problem) is null
            ? $"{problem}; such as ldaps://ldap.example.org/ou=people,dc=example,dc=org"
            : null;

    /// <summary>What an operator should be told.</summary>
    public static IEnumerable<string> Warn(AccountSource source)
    {
        if (source is not LdapSource ldap)
            yield break;
        if (StoreTrust.WhyNot(ldap.Authorities) is { } problem)
            yield return problem;
        if (ldap.Tls == LdapTls.None && ldap.Replicas.Items.Prepend(ldap.Address!).FirstOrDefault(static a => !a.IsThisMachine) is { } far)
            yield return $"passwords go to {far} in clear: write 'tls: starttls', or ldaps:// in the URI";
    }

    private static string InTable(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static LdapTls UsualTls(LdapAddress? address) =>
        address is null or { Scheme: LdapAddress.Secure } ? LdapTls.Ldaps : address.IsThisMachine ? LdapTls.None : LdapTls.StartTls;

    private static IEnumerable<LdapAddress> ReadReplicas(IStoreSection section, LdapAddress? address)
    {
        foreach (var server in section.Texts(
            "replicas",
            [],
            "none",
            "Servers that are asked where the one of the URI does not answer: `host` or `host:port`, in this order."))
        {
            if (address is { Scheme: not LdapAddress.Local } && LdapAddress.WithServer(address, server) is { } replica)
                yield return replica;
            else if (address is not null)
                section.Report("replicas", "one of them is no host, or no host and port (without ldap://)");
        }
    }

    private static LdapAttributes ReadAttributes(IStoreSection section)
    {
        var attributes = new LdapAttributes(
            section.Text("name", "the login", "The attribute with the account's name."),
            new(section.Texts(
                "addresses",
                UsualAddresses,
                string.Join(", ", UsualAddresses.Select(static a => $"`{a}`")),
                "Attributes with what the user may send as, with `smtp:` before it or without; its own name where there are none.")),
            section.Text("domains", "none", "The attribute with domains of which it may send as any address."),
            section.Text("tenant", "none", "The attribute that says whose account it is."),
            section.Text(
                "disabled",
                "none",
                "An attribute that disables the user where it is there and not 0, `false` or `no`, beside userAccountControl, "
                    + "accountExpires and pwdAccountLockedTime."));
        return attributes;
    }

    private static LdapGroup ReadGroup(IStoreSection section)
    {
        var dn = section.Text("group", fallbackText: null, "Its DN.") ?? string.Empty;
        if (dn.Length > 0 && LdapDn.Normalize(dn) is null)
            section.Report("group", "it is no DN, such as cn=sales,ou=groups,dc=example,dc=org");
        return new LdapGroup(
            dn,
            new([.. ReadDomains(section)]),
            new([.. ReadAddresses(section)]),
            section.Text("tenant", "none", "Whose accounts they are; of several groups the first says it."));
    }

    private static IEnumerable<string> ReadDomains(IStoreSection section)
    {
        foreach (var text in section.Texts("domains", [], "none", "Domains of which they may send as any address."))
        {
            if (Domain.TryParse(text, out var domain))
                yield return domain.Text.ToLowerInvariant();
            else
                section.Report("domains", "one of them is no domain");
        }
    }

    private static IEnumerable<string> ReadAddresses(IStoreSection section)
    {
        foreach (var text in section.Texts("addresses", [], "none", "What they may send as."))
        {
            if (Mailbox.TryParse(text, out var address))
                yield return address.Canonical;
            else
                section.Report("addresses", "one of them is no address");
        }
    }

    private void Judge(IStoreSection section)
    {
        if (LdapFilter.Parse(Filter, out var problem) is null)
            section.Report("filter", problem!);
        if (Bind is not null && !section.Has("password"))
            section.Report("bind", "the key 'password' is missing: a bind without one is nobody's, and succeeds");
        if (Bind is null && Password is not null)
            section.Report("password", "it binds nobody: the key 'bind' says whom");
        if (Password is { } secret && secret.Reveal().Length == 0)
            section.Report("password", "it is empty: a bind without a password is nobody's, and succeeds");
        if (Address is { Scheme: LdapAddress.Secure } && Tls != LdapTls.Ldaps)
            section.Report("tls", "the URI says ldaps://, which is TLS from the first octet on: write ldap:// for another way");
        if (Authorities is not null && Tls == LdapTls.None)
            section.Report("ca", "it counts with TLS only");
        if (Dn is null)
            return;
        if (!Dn.Contains(LdapFilter.Parameter, StringComparison.Ordinal)
            || (Dn.Contains('=', StringComparison.Ordinal) && LdapDn.Normalize(Dn) is null))
            section.Report("dn", $"it is no DN with {LdapFilter.Parameter} in it, such as uid={LdapFilter.Parameter},ou=people,dc=example");
        foreach (var key in new[] { "filter", "scope", "bind", "secret", "attributes", "membership", "groups" })
        {
            if (section.Has(key))
                section.Report(key, "it does nothing beside 'dn', which makes no search: leave one of them out");
        }
    }
}

/// <summary>What is read of a user's entry.</summary>
/// <param name="Name">Of the account; null where that is the login.</param>
internal sealed record LdapAttributes(string? Name, LdapList<string> Addresses, string? Domains, string? Tenant, string? Disabled);

/// <summary>A group, and what its members may.</summary>
internal sealed record LdapGroup(string Dn, LdapList<string> Domains, LdapList<string> Addresses, string? Tenant);

/// <summary>How it is known who is in a group.</summary>
internal enum LdapMembership
{
    /// <summary>The user's entry says it.</summary>
    MemberOf,

    /// <summary>The group's entry says it.</summary>
    Member,

    /// <summary>The group's entry says it, or that of a group within it.</summary>
    Nested,
}
