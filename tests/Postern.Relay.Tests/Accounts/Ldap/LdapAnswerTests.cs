using System.Globalization;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts.Ldap;

/// <summary>What no server at hand says: a scripted one does. Active Directory's words are as its documentation has them.</summary>
public sealed class LdapAnswerTests
{
    private const string Dn = "CN=Lisa,CN=Users,DC=corp,DC=example";

    private readonly ManualClock clock = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("525", "there is no such user (Active Directory 525)")]
    [InlineData("52e", "wrong password (Active Directory 52e)")]
    [InlineData("530", "not at this hour (Active Directory 530)")]
    [InlineData("532", "the password has expired (Active Directory 532)")]
    [InlineData("533", "the account is disabled (Active Directory 533)")]
    [InlineData("701", "the account has expired (Active Directory 701)")]
    [InlineData("773", "the password must be changed first (Active Directory 773)")]
    [InlineData("775", "the account is locked after wrong passwords (Active Directory 775)")]
    [InlineData("7ff", "refused (Active Directory 7ff)")]
    [InlineData("oops", "wrong password")]
    public async Task What_Active_Directory_says_of_a_bind_is_told_in_words(string code, string reason)
    {
        using var server = new ScriptedLdap((id, operation) => operation == 0
            ? ScriptedLdap.Done(id, 1, 49, $"80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data {code}, v3839\0")
            : [.. ScriptedLdap.Entry(id, Dn, ("sAMAccountName", "Lisa"), ("userAccountControl", "512"), ("accountExpires", "9223372036854775807")), .. ScriptedLdap.Done(id, 5, 0)]);
        using var store = Open(server, ("schema", "active_directory"));
        Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync("lisa", Ct));
        Assert.Equal(new LoginAnswer.NoMatch(reason, UserExists: true), await CheckAsync(store, "lisa", "tiger"));
    }

    [Fact]
    public async Task A_password_that_is_empty_is_not_asked_about_for_such_a_bind_succeeds()
    {
        using var server = new ScriptedLdap((id, operation) => ScriptedLdap.Done(id, operation + (operation == 0 ? 1 : 2), 0));
        foreach (var store in new[] { Open(server), Open(server, ("dn", "uid=@user,dc=x")) })
        {
            using (store)
            {
                foreach (var password in new[] { "", "\0", "tiger\0" })
                    Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(store, "lisa", password));
            }
        }

        Assert.Empty(server.Asked);
    }

    [Fact]
    public async Task An_entry_without_a_name_is_nobody_s_and_no_bind_is_made_as_it()
    {
        using var server = new ScriptedLdap((id, _) => [.. ScriptedLdap.Entry(id, "", ("uid", "lisa")), .. ScriptedLdap.Done(id, 5, 0)]);
        using var store = Open(server);
        Assert.Equal(new LoginAnswer.Unavailable("the entry has no name, and nobody can bind as it"), await CheckAsync(store, "lisa", "tiger"));
        Assert.DoesNotContain(0, server.Asked);
    }

    [Fact]
    public async Task Other_servers_that_may_know_more_are_not_asked()
    {
        using var other = new ScriptedLdap((_, _) => null);
        var uri = string.Create(CultureInfo.InvariantCulture, $"ldap://127.0.0.1:{other.Port}/dc=x");
        using var server = new ScriptedLdap((id, _) => [.. ScriptedLdap.Reference(id, uri), .. ScriptedLdap.Done(id, 5, 0)]);
        using var store = Open(server);
        Assert.Same(StoredLogin.Nobody, await store.FindAsync("lisa", Ct));
        Assert.Empty(other.Asked);
    }

    [Theory]
    [InlineData(1, "it wants a bind first")]
    [InlineData(3, "it answers timeLimitExceeded (3)")]
    [InlineData(8, "it wants TLS (strongerAuthRequired)")]
    [InlineData(10, "it refers to another server")]
    [InlineData(13, "it wants TLS (confidentialityRequired)")]
    [InlineData(50, "may not read there")]
    [InlineData(51, "it answers busy (51)")]
    [InlineData(123, "it answers an error (123)")]
    public async Task A_search_that_fails_finds_nobody_and_does_not_say_that_there_is_nobody(int code, string reason)
    {
        using var server = new ScriptedLdap((id, _) => ScriptedLdap.Done(id, 5, code, "lisa hunter2"));
        using var store = Open(server);
        var told = Assert.IsType<LoginAnswer.Unavailable>(await store.FindAsync("lisa", Ct)).Reason;
        Assert.Contains(reason, told, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", told, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(49, true)]
    [InlineData(32, true)]
    [InlineData(48, true)]
    [InlineData(19, true)]
    [InlineData(53, false)]
    [InlineData(52, false)]
    [InlineData(10, false)]
    [InlineData(14, false)]
    public async Task Only_success_is_a_login_and_only_what_is_said_of_the_password_is_a_no(int code, bool isNo)
    {
        using var server = new ScriptedLdap((id, operation) => operation == 0
            ? ScriptedLdap.Done(id, 1, code)
            : [.. ScriptedLdap.Entry(id, Dn, ("uid", "lisa")), .. ScriptedLdap.Done(id, 5, 0)]);
        using var store = Open(server);
        Assert.Equal(isNo ? typeof(LoginAnswer.NoMatch) : typeof(LoginAnswer.Unavailable), (await CheckAsync(store, "lisa", "tiger")).GetType());
    }

    [Fact]
    public async Task Answers_that_are_none_are_told_and_the_connection_is_not_used_again()
    {
        byte[][] broken =
        [
            [0x30, 0x03, 0x02, 0x01, 0x02], [0x30, 0x80, 0, 0], [0x31, 0], [0x30, 0x84, 0xff, 0xff, 0xff, 0xff], [0x30, 0], "HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(),
            [0x30, 0x0c, 0x02, 0x01, 0x02, 0x65, 0x07, 0x0a, 0x05, 1, 2, 3, 4, 5], ScriptedLdap.Done(77, 5, 0),
        ];
        foreach (var octets in broken)
        {
            var isMended = false;
            using var server = new ScriptedLdap((id, _) => isMended ? ScriptedLdap.Done(id, 5, 0) : octets);
            using var store = Open(server);
            Assert.IsType<LoginAnswer.Unavailable>(await store.FindAsync("lisa", Ct));
            isMended = true;
            Assert.Same(StoredLogin.Nobody, await store.FindAsync("lisa", Ct));
        }
    }

    [Fact]
    public async Task A_group_within_a_group_is_asked_for_by_the_rule_of_Active_Directory()
    {
        using var server = new ScriptedLdap((id, _) => [.. ScriptedLdap.Entry(id, Dn, ("uid", "lisa")), .. ScriptedLdap.Done(id, 5, 0)]);
        var source = Read(server, [("membership", "nested")], [("groups", new StoreKeys(("group", "cn=sales,dc=x"), ("domains", "sales.example"), ("tenant", "t")))]);
        using var store = AccountStores.Of(source)!.Open(new StoreContext(null!, null!, null!, clock), source);
        var found = Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync("lisa", Ct)).Stored.Account;
        Assert.Equal(["sales.example"], found.Domains);
        Assert.Equal("t", found.Tenant);
        var question = Encoding.UTF8.GetString(server.Questions.Last());
        Assert.Contains("1.2.840.113556.1.4.1941", question, StringComparison.Ordinal);
        Assert.Contains(Dn, question, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_says_goodbye_to_what_was_idle_is_asked_again()
    {
        var questions = 0;
        using var server = new ScriptedLdap((id, _) => ++questions == 2 ? ScriptedLdap.Done(0, 24, 52) : ScriptedLdap.Done(id, 5, 0));
        using var store = Open(server);
        for (var i = 0; i < 3; i++)
            Assert.Same(StoredLogin.Nobody, await store.FindAsync("lisa", Ct));
        Assert.Equal(4, questions);
    }

    private static async Task<LoginAnswer> CheckAsync(IAccountStore store, string user, string password) =>
        await store.CheckPasswordAsync(user, new Password(Encoding.UTF8.GetBytes(password)), Ct);

    private static AccountSource Read(ScriptedLdap server, (string, string)[] keys, (string, StoreKeys)[] lists)
    {
        var source = new AccountSource(string.Create(CultureInfo.InvariantCulture, $"ldap://127.0.0.1:{server.Port}/dc=corp,dc=example"), "r");
        return AccountStores.Of(source)!.Read(new StoreKeys(keys) { Lists = [.. lists] }, source);
    }

    private IAccountStore Open(ScriptedLdap server, params (string, string)[] keys)
    {
        var source = Read(server, keys, []);
        return AccountStores.Of(source)!.Open(new StoreContext(null!, null!, null!, clock), source);
    }
}
