using System.Globalization;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Ldap;
using Postern.Sasl.Verifiers;
using Postern.Testing;
using Postern.Testing.Databases;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.Accounts.Ldap;

/// <summary>Two of OpenLDAP's servers with the same entries, started once.</summary>
public sealed class SlapdFixture : IAsyncLifetime
{
    internal Slapd First { get; private set; } = null!;

    internal Slapd Second { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var entries = Entries();
        Assert.SkipWhen(Slapd.WhyNot() is not null, Slapd.WhyNot() ?? string.Empty);
        First = await Slapd.StartAsync(entries);
        Second = await Slapd.StartAsync(entries);
    }

    public async ValueTask DisposeAsync()
    {
        if (First is not null)
            await First.DisposeAsync();
        if (Second is not null)
            await Second.DisposeAsync();
    }

    private static string Entries()
    {
        var text = new StringBuilder();
        Add("lisa", "mail: lisa@example.org\nmailAlternateAddress: l.simpson@example.org\nproxyAddresses: SMTP:Lisa@corp.example\nproxyAddresses: smtp:sales@corp.example\nproxyAddresses: X500:/o=corp/cn=lisa\n");
        Add("windows", "objectCategory: person\nsAMAccountName: Homer\nuserPrincipalName: homer@corp.example\nuserAccountControl: 512\naccountExpires: 0\n");
        Add("computer", "objectCategory: computer\nsAMAccountName: pc17$\n");
        Add("off", "userAccountControl: 514\n");
        Add("over", "accountExpires: 132223104000000000\n");
        Add("never", "accountExpires: 9223372036854775807\n");
        Add("locked", "pwdAccountLockedTime: 000001010000Z\n");
        Add("paused", "pwdAccountLockedTime: 20200101000000Z\n");
        Add("barred", "isBarred: since Tuesday\n");
        Add("free", "isBarred: FALSE\n");
        Add("noaddress", "mail: nobody at all\n");
        Add("named", "accountName: one\naccountName: two\n");
        Add("deaf", "", password: false);
        Add("many", string.Concat(Enumerable.Range(0, 10_000).Select(static i => string.Create(CultureInfo.InvariantCulture, $"memberOf: cn=group number {i},ou=groups,dc=example,dc=org\n"))) + "memberOf: cn=sales,ou=groups,dc=example,dc=org\n");
        return text.ToString();

        void Add(string uid, string more, bool password = true) => text.Append(
            CultureInfo.InvariantCulture,
            $"dn: uid={uid},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nobjectClass: user\nuid: {uid}\nsn: x\ncn: x\n{(password ? "userPassword: tiger\n" : "")}{more}\n");
    }
}

public sealed class LdapStoreTests(SlapdFixture fixture) : IClassFixture<SlapdFixture>, IDisposable
{
    private readonly ManualClock clock = new();
    private readonly List<IAccountStore> opened = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => opened.ForEach(static store => store.Dispose());

    [Fact]
    public async Task Addresses_are_of_every_attribute_that_has_some_and_of_Exchange_only_those_of_mail()
    {
        var account = (await FoundAsync(Open(), "lisa")).Account;
        Assert.Equal(["l.simpson@example.org", "lisa@corp.example", "lisa@example.org", "sales@corp.example"], account.Addresses.Order(StringComparer.Ordinal));
        Assert.Equal("lisa", account.Name);
        Assert.Equal("lisa", (await FoundAsync(Open(), "lisa")).User);
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(Open(), "lisa@example.org", "tiger"));
    }

    [Fact]
    public async Task With_the_attributes_of_Active_Directory_users_are_found_by_both_of_their_names_and_computers_are_none()
    {
        var store = Open(("schema", "active_directory"));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "homer", "tiger"));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "homer@corp.example", "tiger"));
        Assert.Same(StoredLogin.Nobody, await store.FindAsync("pc17$", Ct));
        Assert.Same(StoredLogin.Nobody, await store.FindAsync("lisa", Ct));
    }

    [Theory]
    [InlineData("off", "the account is disabled")]
    [InlineData("over", "the account has expired")]
    [InlineData("locked", "the account is locked")]
    [InlineData("barred", "the account is disabled")]
    [InlineData("free", null)]
    [InlineData("never", null)]
    [InlineData("paused", null)]
    public async Task Who_is_disabled_there_is_disabled_here(string user, string? refusal)
    {
        var login = await FoundAsync(Open(("attributes.disabled", "isBarred")), user);
        Assert.Equal((refusal, refusal is not null, refusal is null), (login.Refusal, login.IsDisabled, login.Account.Enabled));
    }

    [Fact]
    public async Task A_lock_that_the_server_would_end_at_a_bind_lasts_where_there_is_none() =>
        Assert.Equal("the account is locked", (await FoundAsync(Open(("secret", "userPassword")), "paused")).Refusal);

    [Theory]
    [InlineData("noaddress", "attribute mail: something in it is no address", "")]
    [InlineData("named", "attribute accountName: it has several values", "")]
    [InlineData("deaf", "the entry shows no userPassword: it has none, or the service account may not read it", "userPassword")]
    public async Task What_cannot_be_read_is_no_answer(string user, string reason, string secret)
    {
        var store = Open([("attributes.name", "accountName"), .. secret.Length == 0 ? [] : new[] { ("secret", secret) }]);
        Assert.StartsWith(reason, Assert.IsType<LoginAnswer.Unavailable>(await store.FindAsync(user, Ct)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_without_a_password_there_has_none_here() =>
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(Open(), "deaf", "tiger"));

    [Fact]
    public async Task Members_of_a_group_may_what_is_said_of_it_and_the_first_says_whose_they_are()
    {
        await fixture.First.ChangeAsync("""
            dn: cn=sales,ou=groups,dc=example,dc=org
            changetype: add
            objectClass: groupOfNames
            cn: sales
            member: uid=lisa,ou=people,dc=example,dc=org

            dn: cn=board,ou=groups,dc=example,dc=org
            changetype: add
            objectClass: groupOfUniqueNames
            cn: board
            uniqueMember: uid=lisa,ou=people,dc=example,dc=org

            dn: cn=plant,ou=groups,dc=example,dc=org
            changetype: add
            objectClass: groupOfNames
            cn: plant
            member: uid=off,ou=people,dc=example,dc=org

            """);
        (string, StoreKeys)[] groups =
        [
            Group(" CN=Plant , ou=groups,dc=example,dc=org", "plant.example", "plant"), Group("cn=Sales, ou=Groups,dc=example,dc=org", "sales.example", "sales"),
            Group("cn=board,ou=groups,dc=example,dc=org", "board.example", "board"), Group("cn=nowhere,ou=groups,dc=example,dc=org", "nowhere.example", "nowhere"),
        ];
        var byEntry = (await FoundAsync(Open([], groups), "lisa")).Account;
        Assert.Equal(("sales", "sales.example"), (byEntry.Tenant, string.Join(' ', byEntry.Domains)));
        Assert.Contains("info@sales.example", byEntry.Addresses);
        var byGroup = (await FoundAsync(Open([("membership", "member")], groups), "lisa")).Account;
        Assert.Equal(("sales", "board.example sales.example"), (byGroup.Tenant, string.Join(' ', byGroup.Domains)));
        var nobodys = (await FoundAsync(Open([("membership", "member")], groups), "free")).Account;
        Assert.Equal((null, ""), (nobodys.Tenant, string.Join(' ', nobodys.Domains)));
    }

    [Fact]
    public async Task Of_ten_thousand_groups_those_count_that_are_named()
    {
        var account = (await FoundAsync(Open([], [Group("cn=sales,ou=groups,dc=example,dc=org", "sales.example", "sales")]), "many")).Account;
        Assert.Equal(["sales.example"], account.Domains);
    }

    [Fact]
    public async Task A_search_never_runs_as_a_user()
    {
        // Only the service may read the secrets: a search as somebody else would not see them.
        var (bind, read) = (Open(), Open(("secret", "userPassword")));
        for (var i = 0; i < 5; i++)
        {
            Assert.IsType<LoginAnswer.Match>(await CheckAsync(bind, "lisa", "tiger"));
            Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(bind, "lisa", "wrong"));
            Assert.NotEmpty((await FoundAsync(read, "lisa")).Credentials);
            Assert.True((await FoundAsync(bind, "lisa")).IsCheckedByStore);
        }
    }

    [Fact]
    public async Task Without_a_search_the_name_is_escaped_in_the_DN_and_nothing_else_is_known()
    {
        const string Name = "a,b+c=\"d\\e<f>;#g";
        await fixture.First.ChangeAsync($"{Slapd.Line("dn", $"uid={LdapDn.Escape(Name)},{Slapd.People}")}changetype: add\nobjectClass: inetOrgPerson\nsn: x\ncn: x\nuserPassword: tiger\n{Slapd.Line("uid", Name)}");
        var store = Open(("dn", "uid=@user,ou=people,dc=example,dc=org"));
        foreach (var user in new[] { Name, "lisa" })
        {
            Assert.Equal(new LoginAnswer.Match(user), await CheckAsync(store, user, "tiger"));
            Assert.Equal(new LoginAnswer.NoMatch("wrong password"), await CheckAsync(store, user, "wrong"));
        }

        Assert.Equal(new LoginAnswer.NoMatch("wrong password"), await CheckAsync(store, "nobody", "tiger"));
        Assert.Equal(new LoginAnswer.NoMatch("wrong password"), await CheckAsync(store, "lisa,ou=people,dc=example,dc=org", "tiger"));
        Assert.True((await FoundAsync(store, "nobody")).IsPresumed);
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(Open(("dn", "@user")), "cn=admin,dc=example,dc=org", "password-of-the-admin"));
    }

    [Theory]
    [InlineData("ldaps")]
    [InlineData("ldapi")]
    public async Task It_is_asked_with_TLS_from_the_first_octet_on_and_by_a_socket_of_this_machine(string scheme)
    {
        var place = scheme == "ldapi" ? fixture.First.Socket : string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{fixture.First.SecurePort}");
        var source = new AccountSource($"{scheme}://{place}/{Slapd.People}", "r");
        (string, string)[] keys = [("bind", Slapd.Service), ("password", Slapd.ServicePassword), .. scheme == "ldapi" ? [] : new[] { ("ca", fixture.First.Authorities) }];
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(Open(AccountStores.Of(source)!.Read(new StoreKeys(keys), source)), "lisa", "tiger"));
    }

    [Fact]
    public async Task A_user_who_was_moved_binds_as_what_he_is_now()
    {
        await fixture.First.ChangeAsync("dn: uid=moved,ou=people,dc=example,dc=org\nchangetype: add\nobjectClass: inetOrgPerson\nsn: x\ncn: x\nuid: moved\nuserPassword: tiger\n");
        var store = Open();
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "moved", "tiger"));
        await fixture.First.ChangeAsync("dn: uid=moved,ou=people,dc=example,dc=org\nchangetype: modrdn\nnewrdn: cn=x\ndeleteoldrdn: 0\n");
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "moved", "tiger"));
        Assert.IsType<LoginAnswer.NoMatch>(await CheckAsync(store, "moved", "wrong"));
    }

    [Fact]
    public async Task The_replica_is_asked_when_the_first_is_stopped_and_the_first_again_when_it_is_back()
    {
        var store = Open(Read([("replicas", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{fixture.Second.Port}"))], [], fixture.First, "none"));
        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "lisa", "tiger"));
        await fixture.First.StopAsync();
        try
        {
            Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "lisa", "tiger"));
            await fixture.Second.StopAsync();
            try
            {
                var told = Assert.IsType<LoginAnswer.Unavailable>(await store.FindAsync("lisa", Ct)).Reason;
                Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{fixture.First.Port}: it cannot be reached"), told, StringComparison.Ordinal);
                Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{fixture.Second.Port}: it cannot be reached"), told, StringComparison.Ordinal);
            }
            finally
            {
                await fixture.Second.RunAsync();
            }
        }
        finally
        {
            await fixture.First.RunAsync();
        }

        Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "lisa", "tiger"));
        await fixture.Second.StopAsync();
        try
        {
            Assert.IsType<LoginAnswer.Match>(await CheckAsync(store, "lisa", "tiger"));
        }
        finally
        {
            await fixture.Second.RunAsync();
        }
    }

    [Fact]
    public async Task A_first_server_that_hangs_has_its_share_of_the_time_and_then_is_not_asked_for_a_while()
    {
        var source = Read([("replicas", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{fixture.Second.Port}"))], [], fixture.First, "none");
        var store = Open(source);
        ProcessTree.Signal(fixture.First.Id, ProcessTree.Stop);
        try
        {
            var asked = store.FindAsync("lisa", Ct).AsTask();
            while (!asked.IsCompleted)
            {
                clock.Advance(source.Terms.Timeout / 2);
                await Task.WhenAny(asked, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct));
            }

            Assert.IsType<LoginAnswer.Found<StoredLogin>>(await asked);
            Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync("lisa", Ct)); // without a clock that moves
        }
        finally
        {
            ProcessTree.Signal(fixture.First.Id, ProcessTree.Continue);
        }
    }

    private static (string, StoreKeys) Group(string dn, string domain, string tenant) =>
        ("groups", new StoreKeys(("group", dn), ("domains", domain), ("addresses", $"info@{domain}"), ("tenant", tenant)));

    private static async Task<LoginAnswer> CheckAsync(IAccountStore store, string user, string password) =>
        await store.CheckPasswordAsync(user, new Password(Encoding.UTF8.GetBytes(password)), Ct);

    private static async Task<StoredLogin> FoundAsync(IAccountStore store, string user) => Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync(user, Ct)).Stored;

    private static AccountSource Read((string, string)[] keys, (string, StoreKeys)[] groups, Slapd slapd, string tls)
    {
        var source = new AccountSource(string.Create(CultureInfo.InvariantCulture, $"ldap://127.0.0.1:{slapd.Port}/{Slapd.People}"), "r");
        (string, string)[] all = keys.Any(static k => k.Item1 == "dn") ? keys : [("bind", Slapd.Service), ("password", Slapd.ServicePassword), .. keys];
        return AccountStores.Of(source)!.Read(
            new StoreKeys([("tls", tls), .. tls == "none" ? [] : new[] { ("ca", slapd.Authorities) }, .. all]) { Lists = [.. groups] }, source);
    }

    private IAccountStore Open(params (string, string)[] keys) => Open(keys, []);

    private IAccountStore Open((string, string)[] keys, (string, StoreKeys)[] groups) => Open(Read(keys, groups, fixture.First, "starttls"));

    private IAccountStore Open(AccountSource source)
    {
        var store = AccountStores.Of(source)!.Open(new StoreContext(null!, null!, null!, clock), source);
        opened.Add(store);
        return store;
    }
}
