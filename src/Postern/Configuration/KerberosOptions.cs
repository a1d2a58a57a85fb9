using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Relay.Accounts.Kerberos;

namespace Postern.Configuration;

/// <summary><c>kerberos</c>: whose tickets are taken, and which account each is.</summary>
/// <param name="KeytabFile">Absolute.</param>
internal sealed record KerberosOptions(string KeytabFile, ImmutableArray<string> Realms, PrincipalAccount Account, string Service)
{
    private static readonly Kind<PrincipalAccount> Accounts = Kinds.Word(
        ("principal", PrincipalAccount.Principal), ("name", PrincipalAccount.Name));

    public static KerberosOptions Read(Section section)
    {
        var options = new KerberosOptions(
            section.RequiredFilePath(
                "keytab",
                "The keytab with the keys of `smtp/HOST@REALM`, for each name that clients know this server by. "
                    + "It is read anew for each login."),
            section.RequiredList(
                "realms",
                Kinds.Realm,
                "The realms whose principals are accounts, as Kerberos writes them: case matters. Others are refused, "
                    + "also where this realm trusts theirs."),
            section.Value(
                "account",
                Accounts,
                PrincipalAccount.Principal,
                "`principal`",
                "Which account `lisa@EXAMPLE.ORG` is: with `principal` it is `lisa@example.org`, with `name` it is `lisa`. "
                    + "Principals with an instance, such as `lisa/admin`, are no account."),
            section.Value(
                "service",
                Kinds.Text,
                "smtp",
                "`smtp`",
                "The first half of the service's principal. Other keys of the keytab are not used."));

        if (options is { Account: PrincipalAccount.Name, Realms.Length: > 1 })
            section.Report("account", "with 'name' the same name in two realms would be one account", "one realm, or 'principal'");
        return options;
    }
}
