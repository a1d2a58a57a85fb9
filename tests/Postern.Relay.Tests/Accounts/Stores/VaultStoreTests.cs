using System.Globalization;
using System.Text.Json.Nodes;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Vault;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts.Stores;

/// <summary>The ways in which a store gets at secrets in Vault, against a server that answers as its documentation says.</summary>
public sealed class VaultStoreTests : IAsyncLifetime
{
    private const string Lisa = "lisa@example.org";

    private readonly DirectoryFixture fixture = new();
    private readonly DocumentedVault vault = new();
    private readonly List<IAccountStore> opened = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Address => Here(vault);

    public ValueTask InitializeAsync()
    {
        vault.Put($"secret/smtp-auth/{Lisa}", new JsonObject { ["password"] = "tiger" });
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in opened)
            store.Dispose();
        await vault.DisposeAsync();
        fixture.Dispose();
    }

    [Fact]
    public async Task One_login_is_good_for_all_questions_and_for_many_at_once()
    {
        var store = Open(AppRole());
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async i => await store.FindAsync($"user{i}@example.org", Ct)));
        Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync(Lisa, Ct));
        Assert.Equal(1, vault.Logins);
    }

    [Fact]
    public async Task A_token_is_renewed_when_two_thirds_of_its_time_are_over_also_while_nobody_asks()
    {
        vault.Lease = 300;
        vault.RenewedLease = 300;
        Assert.Equal("tiger", await PasswordAsync(Open(AppRole())));
        fixture.Clock.Advance(TimeSpan.FromSeconds(199));
        Assert.Equal(0, vault.Renewals);
        // Not before it has heard of the first, and set the time of the second.
        await UntilAsync(TimeSpan.FromSeconds(1), () => vault.Renewals == 1 && fixture.Clock.UntilDue == TimeSpan.FromSeconds(200));
        await UntilAsync(TimeSpan.FromSeconds(200), () => vault.Renewals == 2);
        Assert.Equal(1, vault.Logins);
    }

    [Fact]
    public async Task A_token_that_cannot_be_renewed_is_had_anew_before_it_ends()
    {
        vault.Lease = 300;
        vault.IsRenewable = false;
        var store = Open(AppRole());
        Assert.Equal("tiger", await PasswordAsync(store));
        await UntilAsync(TimeSpan.FromSeconds(201), () => vault.Logins == 2);
        Assert.Equal("tiger", await PasswordAsync(store));
        Assert.Equal(2, vault.Logins);
    }

    [Fact]
    public async Task A_token_that_is_renewed_for_less_and_less_is_had_anew()
    {
        vault.Lease = 300;
        vault.RenewedLease = 60;
        var store = Open(AppRole());
        Assert.Equal("tiger", await PasswordAsync(store));
        await UntilAsync(TimeSpan.FromSeconds(201), () => vault.Logins == 2);
        Assert.Equal("tiger", await PasswordAsync(store));
    }

    [Fact]
    public async Task A_token_that_was_taken_away_is_had_anew_once_and_nobody_who_logs_in_notices()
    {
        var store = Open(AppRole());
        Assert.Equal("tiger", await PasswordAsync(store));
        vault.RevokeAll();
        Assert.Equal("tiger", await PasswordAsync(store));
        Assert.Equal(2, vault.Logins);
    }

    [Fact]
    public async Task What_stays_forbidden_is_told_with_the_line_that_its_policy_needs_and_logins_there_are_few()
    {
        vault.Policy = "secret/data/other/*";
        var store = Open(AppRole());
        for (var i = 0; i < 5; i++)
            Assert.Equal(
                "permission denied (403): its policy needs path \"secret/data/smtp-auth/*\" { capabilities = [\"read\"] }",
                Assert.IsType<LoginAnswer.Unavailable>(await store.FindAsync(Lisa, Ct)).Reason);
        Assert.Equal(2, vault.Logins);
        vault.Policy = "secret/data/smtp-auth/*";
        Assert.Equal("tiger", await PasswordAsync(store));
    }

    [Fact]
    public async Task A_given_token_is_used_renewed_and_told_apart_from_one_that_may_not()
    {
        vault.Issue("hvs.of-an-operator");
        vault.Lease = 3000;
        vault.RenewedLease = 3000;
        var store = Open(("token", "hvs.of-an-operator"));
        Assert.Equal("tiger", await PasswordAsync(store));
        await UntilAsync(TimeSpan.FromSeconds(2000), () => vault.Renewals == 1);
        vault.Policy = "nothing/*";
        Assert.StartsWith("permission denied (403)", Assert.IsType<LoginAnswer.Unavailable>(await store.FindAsync(Lisa, Ct)).Reason, StringComparison.Ordinal);
        vault.RevokeAll();
        Assert.Equal("the token is not known there, or its time is over (403)", Assert.IsType<LoginAnswer.Unavailable>(await store.FindAsync(Lisa, Ct)).Reason);
        Assert.Equal(0, vault.Logins);
    }

    [Fact]
    public async Task A_token_for_ever_is_neither_renewed_nor_forgotten()
    {
        vault.Issue("root");
        vault.Lease = 0;
        var store = Open(("token", "root"));
        Assert.Equal("tiger", await PasswordAsync(store));
        fixture.Clock.Advance(TimeSpan.FromDays(400));
        Assert.Equal("tiger", await PasswordAsync(store));
        Assert.Equal(0, vault.Renewals);
    }

    [Fact]
    public async Task Kubernetes_shows_the_token_of_the_service_account_as_it_is_in_the_file_at_each_login()
    {
        var file = fixture.Beside("jwt");
        await File.WriteAllTextAsync(file, "jwt-of-postern\n", Ct);
        var store = Open(("role", "postern"), ("jwt", file));
        Assert.Equal("tiger", await PasswordAsync(store));
        vault.RevokeAll();
        vault.Jwt = "jwt-of-tomorrow";
        await File.WriteAllTextAsync(file, "jwt-of-tomorrow\n", Ct);
        Assert.Equal("tiger", await PasswordAsync(store));
        Assert.Equal(2, vault.Logins);

        File.Delete(file);
        vault.RevokeAll();
        fixture.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Contains("service account cannot be read", Assert.IsType<LoginAnswer.Unavailable>(await store.FindAsync(Lisa, Ct)).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_version_that_was_deleted_or_destroyed_is_nobody(bool isDestroyed)
    {
        vault.Delete($"secret/smtp-auth/{Lisa}", isDestroyed);
        Assert.Same(StoredLogin.Nobody, await Open(AppRole()).FindAsync(Lisa, Ct));
    }

    [Fact]
    public async Task No_name_leaves_the_prefix()
    {
        vault.Put("secret/other", new JsonObject { ["password"] = "tiger" });
        vault.Put("secret/smtp-auth/a/b", new JsonObject { ["password"] = "tiger" });
        var store = Open(AppRole());
        foreach (var name in new[] { "../other", "..", ".", "a/b", "%2e%2e/other", "..%2fother", "..%2Fother", "/", "a/../../other", "..\\other", "lisa.", "%2e%2e", "\u2024\u2024/other" })
            Assert.Same(StoredLogin.Nobody, await store.FindAsync(name, Ct));
        var read = vault.Server.Asked.Where(static q => q.Method == "GET" && !q.Path.StartsWith("/v1/sys/", StringComparison.Ordinal)).Select(static q => q.Path).ToList();
        Assert.NotEmpty(read);
        Assert.All(read, static path => Assert.StartsWith("/v1/secret/data/smtp-auth/", path, StringComparison.Ordinal));
        Assert.All(read, static path => Assert.Equal(5, path.Count(static c => c == '/')));
    }

    [Fact]
    public async Task The_next_node_is_asked_where_one_is_on_standby_sealed_or_gone()
    {
        await using var active = new DocumentedVault();
        active.Put($"secret/smtp-auth/{Lisa}", new JsonObject { ["password"] = "leopard" });
        vault.IsSealed = true;
        var store = Open([("address", $"{Address} {Here(active)}"), .. AppRole()]);
        Assert.Equal("leopard", await PasswordAsync(store));
        await vault.DisposeAsync();
        Assert.Equal("leopard", await PasswordAsync(store));
        Assert.Equal(1, active.Logins);
    }

    [Theory]
    [InlineData(429, "it is on standby, or has had too many questions (429)")]
    [InlineData(472, "it is the secondary of a disaster recovery (472): name the primary")]
    [InlineData(473, "it is on standby, and does not ask the active node (473): name that in 'address' too")]
    [InlineData(307, "it is on standby, and sends to another node (307): name that in 'address' too")]
    [InlineData(501, "it is not initialized (501): vault operator init")]
    [InlineData(503, "it is sealed, or down for maintenance (503): vault operator unseal")]
    [InlineData(418, "it answers 418")]
    public async Task What_a_node_says_that_cannot_answer_is_told(int status, string reason)
    {
        vault.Instead = new WebReply(status, "{\"errors\":[\"tiger\"]}") { Fields = [("Location", "http://127.0.0.1:1/v1/secret/data/smtp-auth/x")] };
        Assert.Equal(reason, Assert.IsType<LoginAnswer.Unavailable>(await Open(AppRole()).FindAsync(Lisa, Ct)).Reason);
    }

    [Fact]
    public async Task The_namespace_and_the_field_are_those_of_the_configuration()
    {
        vault.Namespace = "team/mail";
        vault.Put("secret/smtp-auth/scott", new JsonObject { ["key"] = "tiger" });
        var store = Open([("namespace", "team/mail"), ("field", "key"), .. AppRole()]);
        Assert.Equal("tiger", await PasswordAsync(store, "scott"));
    }

    [Fact]
    public async Task Secrets_may_be_at_the_top_of_a_mount()
    {
        vault.Put("secret/scott", new JsonObject { ["password"] = "tiger" });
        Assert.Equal("tiger", await PasswordAsync(Open("vault://secret", AppRole()), "scott"));
    }

    [Theory]
    [InlineData("{\"password\": 1}", "password: it is no text")]
    [InlineData("{\"passwords\": \"x\"}", "passwords: it is no list")]
    [InlineData("{\"passwords\": [1]}", "passwords: an entry is neither a text nor an object")]
    [InlineData("{\"passwords\": [{\"label\": \"x\"}]}", "passwords: an entry has no password")]
    [InlineData("{\"password\": \"tiger\", \"addresses\": \"nobody\"}", "addresses: something in it is no address")]
    [InlineData("{\"password\": \"tiger\", \"domains\": [1]}", "domains: something in it is no text")]
    [InlineData("{\"password\": \"tiger\", \"expires\": \"soon\"}", "expires: it is no time such as 2027-01-31T12:00:00Z")]
    [InlineData("{\"password\": \"tiger\", \"disabled\": []}", "disabled: it is neither true nor false")]
    [InlineData("{\"password\": \"tiger\", \"user\": \"bart\"}", "the secret is of another user: its field 'user' is not the name that was asked for")]
    public async Task A_secret_that_cannot_be_read_is_no_answer_and_is_not_quoted(string json, string reason)
    {
        vault.Put("secret/smtp-auth/scott", JsonNode.Parse(json)!.AsObject());
        Assert.Equal(reason, Assert.IsType<LoginAnswer.Unavailable>(await Open(AppRole()).FindAsync("scott", Ct)).Reason);
    }

    [Fact]
    public async Task Each_secret_of_several_may_have_a_name_and_an_end_of_its_own()
    {
        vault.Put("secret/smtp-auth/scott", JsonNode.Parse("{\"passwords\": [\"one\", {\"password\": \"two\", \"label\": \"laptop\", \"expires\": \"2027-01-31\"}], \"expires\": 1800000000}")!.AsObject());
        var login = Assert.IsType<LoginAnswer.Found<StoredLogin>>(await Open(AppRole()).FindAsync("scott", Ct)).Stored;
        Assert.Equal(["1", "laptop"], login.Credentials.Select(static c => c.Name));
        Assert.Equal([DateTimeOffset.FromUnixTimeSeconds(1800000000), new DateTimeOffset(2027, 1, 31, 0, 0, 0, TimeSpan.Zero)], login.Credentials.Select(static c => c.ExpiresAt!.Value));
    }

    [Theory]
    [InlineData("vault:", "it does not read vault://MOUNT/PATH")]
    [InlineData("vault://", "it is empty")]
    [InlineData("vault://secret//x", "one of its parts is empty")]
    [InlineData("vault://secret/../x", "one of its parts is empty, '.' or '..'")]
    [InlineData("vault://secret/x?y", "a sign that no path has")]
    [InlineData("vault://token@vault.example.org/secret", "the server is the key 'address'")]
    public void A_uri_that_is_no_path_is_told_so(string uri, string problem) =>
        Assert.Contains(problem, AccountStores.WhyNot(new AccountSource(uri, "r")), StringComparison.Ordinal);

    [Theory]
    [InlineData("address", "http://vault.example.org:8200", "address: passwords would go to another machine in clear")]
    [InlineData("address", "https://me:secret@vault.example.org", "address: a password has no place in the address")]
    [InlineData("address", "https://vault.example.org/v1/", "address: it has no path")]
    [InlineData("address", "vault.example.org", "address: it does not read")]
    [InlineData("auth_mount", "../x", "auth_mount: one of its parts")]
    [InlineData("mount", "other", "mount: the path in the URI does not begin with it")]
    [InlineData("token", "second", "role_id: token and role_id exclude each other")]
    public void A_wrong_key_is_told_at_its_place(string key, string value, string problem)
    {
        var problems = new List<string>();
        VaultStore.Kind.Read(
            new StoreKeys([(key, value), .. new[] { ("address", "https://vault.example.org"), ("role_id", "x") }.Where(k => k.Item1 != key)]) { Problems = problems },
            new AccountSource("vault://secret/smtp-auth", "r"));
        Assert.StartsWith(problem, Assert.Single(problems), StringComparison.Ordinal);
    }

    private static string Here(DocumentedVault vault) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{vault.Server.Port}");

    private static (string, string)[] AppRole() => [("role_id", DocumentedVault.RoleId), ("secret_id", "secret-id")];

    private static async Task<string> PasswordAsync(IAccountStore store, string user = Lisa) =>
        Assert.Single(Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync(user, Ct)).Stored.Credentials).Hash.Stored["{PLAIN}".Length..];

    /// <summary>Moves the clock, and waits for what that begins.</summary>
    private async Task UntilAsync(TimeSpan by, Func<bool> isSo)
    {
        fixture.Clock.Advance(by);
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
        {
            late.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private IAccountStore Open(params (string Key, string Value)[] keys) => Open("vault://secret/smtp-auth", keys);

    private IAccountStore Open(string uri, params (string Key, string Value)[] keys)
    {
        (string, string)[] all = keys.Any(static k => k.Key == "address") ? keys : [("address", Address), .. keys];
        var source = VaultStore.Kind.Read(new StoreKeys(all), new AccountSource(uri, "mail.example.org"));
        var store = VaultStore.Kind.Open(fixture.StoreContext, source); // nothing is remembered
        opened.Add(store);
        return store;
    }
}
