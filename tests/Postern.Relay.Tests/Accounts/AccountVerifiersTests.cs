using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Tests.Accounts.Protection;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

public sealed class AccountVerifiersTests : IDisposable
{
    private readonly DirectoryFixture fixture = new();
    private readonly AccountVerifiers verifiers;

    public AccountVerifiersTests() =>
        verifiers = new AccountVerifiers([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock);

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task A_right_password_logs_in_under_the_canonical_name_and_is_computed_once()
    {
        var password = fixture.AddAccount("Lisa@Example.com");
        for (var i = 0; i < 3; i++)
            Assert.Equal(new LoginAnswer.Match("lisa@example.com"), await Login("LISA@example.COM", password));
        Assert.Equal(1, fixture.Pool.Computed);
    }

    [Fact]
    public async Task A_scram_secret_is_found_for_known_users_and_failures_count()
    {
        fixture.AddAccount("lisa");
        var algorithm = System.Security.Cryptography.HashAlgorithmName.SHA256;
        Assert.Equal("lisa", Assert.IsType<LoginAnswer.Found<ScramSecret>>(await verifiers.ScramSecrets.FindAsync("LISA", algorithm, peer: null, CancellationToken.None)).User);
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.ScramSecrets.FindAsync("nobody", algorithm, peer: null, CancellationToken.None));
        Assert.Contains("only a SCRAM-SHA-256 secret", Assert.IsType<LoginAnswer.NoMatch>(await verifiers.ScramSecrets.FindAsync("lisa", System.Security.Cryptography.HashAlgorithmName.SHA512, peer: null, CancellationToken.None)).Reason, StringComparison.Ordinal);

        var counted = new AccountVerifiers([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock, new LoginProtection(ProtectionFixture.WithoutDelay, NoAuditLog.Instance, fixture.Clock));
        for (var i = 0; i < 10; i++)
            counted.ScramSecrets.OnProof(Assert.IsType<LoginAnswer.Judge>(await counted.ScramSecrets.BeginProofAsync("LISA", "192.0.2.1", CancellationToken.None)), isProven: false, isUser: true);
        Assert.IsType<LoginAnswer.Unavailable>(await counted.ScramSecrets.FindAsync("lisa", algorithm, "192.0.2.1", CancellationToken.None));
        Assert.IsType<LoginAnswer.Found<ScramSecret>>(await counted.ScramSecrets.FindAsync("lisa", algorithm, "198.51.100.2", CancellationToken.None));
    }

    [Fact]
    public async Task A_wrong_password_fails_however_often_and_is_never_remembered()
    {
        var password = fixture.AddAccount("lisa");
        await Login("lisa", password);
        for (var i = 0; i < 3; i++)
            Assert.Equal(new LoginAnswer.NoMatch("wrong password", UserExists: true), await Login("lisa", password + "x"));
        Assert.Equal(4, fixture.Pool.Computed);
    }

    [Fact]
    public async Task A_password_is_good_for_its_own_user_only()
    {
        var lisas = fixture.AddAccount("lisa");
        var bobs = fixture.AddAccount("bob");
        Assert.IsType<LoginAnswer.Match>(await Login("lisa", lisas));
        Assert.IsType<LoginAnswer.Match>(await Login("bob", bobs));
        Assert.IsType<LoginAnswer.NoMatch>(await Login("bob", lisas));
        Assert.IsType<LoginAnswer.NoMatch>(await Login("lisa", bobs));
        Assert.IsType<LoginAnswer.NoMatch>(await Login("nobody", lisas));
    }

    [Fact]
    public async Task An_unknown_user_is_hashed_like_a_known_one()
    {
        fixture.AddAccount("lisa");
        for (var i = 1; i <= 5; i++)
        {
            Assert.Equal(new LoginAnswer.NoMatch("unknown user", UserExists: false), await Login($"nobody{i}", "password"));
            Assert.Equal(i, fixture.Pool.Computed);
        }
    }

    [Fact]
    public async Task An_unknown_user_is_hashed_where_no_account_exists_at_all()
    {
        Assert.Equal(new LoginAnswer.NoMatch("unknown user", UserExists: false), await Login("nobody", "password"));
        Assert.Equal(1, fixture.Pool.Computed);
    }

    [Fact]
    public async Task An_unknown_user_costs_what_some_known_user_costs()
    {
        fixture.AddAccount("lisa");
        fixture.AddCredential("lisa");
        Assert.Same(StoredLogin.Nobody, fixture.Database.FindLogin("nobody"));
        var real = Assert.IsType<LoginAnswer.Found<StoredLogin>>(fixture.Database.FindLogin("lisa")).Stored;
        Assert.Equal(real.Costs.ToString(), fixture.Store().Costs.ToString());
        await Login("nobody", "password");
    }

    [Fact]
    public async Task A_decoys_password_opens_nothing()
    {
        var password = fixture.AddAccount("lisa");
        fixture.Commands.Accounts.Add(new AddAccount("empty", [], []));
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(new LoginAnswer.NoMatch("unknown user", UserExists: false), await Login("nobody", password));
            Assert.Equal(new LoginAnswer.NoMatch("the account has no credential", UserExists: true), await Login("empty", password));
        }
    }

    [Fact]
    public async Task Every_credential_of_an_account_logs_in()
    {
        var first = fixture.AddAccount("lisa", "laptop");
        var second = fixture.AddCredential("lisa", "printer");
        Assert.Equal(new AdminOutcome.Done("x").GetType(), fixture.Commands.Credentials.Revoke(new RevokeCredential("lisa", "laptop")).GetType());
        Assert.IsType<LoginAnswer.NoMatch>(await Login("lisa", first));
        Assert.IsType<LoginAnswer.Match>(await Login("lisa", second));
        fixture.AddCredential("lisa");
        Assert.IsType<LoginAnswer.Match>(await Login("lisa", second));
    }

    [Theory]
    [InlineData("revoke")]
    [InlineData("disable")]
    [InlineData("remove")]
    [InlineData("sql")]
    [InlineData("remove and add")]
    public async Task A_remembered_login_fails_at_once_after_the_account_changes(string change)
    {
        var password = fixture.AddAccount("lisa");
        Assert.IsType<LoginAnswer.Match>(await Login("lisa", password));
        Assert.IsType<LoginAnswer.Match>(await Login("lisa", password));
        switch (change)
        {
            case "revoke":
                fixture.Commands.Credentials.Revoke(new RevokeCredential("lisa"));
                break;
            case "disable":
                fixture.Commands.Accounts.Disable("lisa");
                break;
            case "sql":
                fixture.Execute("update credentials set secret = 'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU='");
                break;
            default:
                fixture.Commands.Accounts.Remove("lisa");
                if (change.EndsWith("add", StringComparison.Ordinal))
                    fixture.AddAccount("lisa");
                break;
        }

        Assert.IsType<LoginAnswer.NoMatch>(await Login("lisa", password));
    }

    [Fact]
    public async Task An_account_that_is_enabled_again_logs_in_again()
    {
        var password = fixture.AddAccount("lisa");
        await Login("lisa", password);
        fixture.Commands.Accounts.Disable("lisa");
        Assert.Equal(new LoginAnswer.NoMatch("the account is disabled", UserExists: true), await Login("lisa", password));
        fixture.Commands.Accounts.Enable("lisa");
        Assert.IsType<LoginAnswer.Match>(await Login("lisa", password));
    }

    [Fact]
    public async Task A_credential_expires_remembered_or_not()
    {
        var remembered = fixture.AddAccount("lisa", "short", TimeSpan.FromMinutes(1));
        var fresh = fixture.AddCredential("lisa", "unused", TimeSpan.FromMinutes(1));
        Assert.IsType<LoginAnswer.Match>(await Login("lisa", remembered));
        fixture.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(new LoginAnswer.NoMatch("the credential short (#1) expired at 2026-01-01 00:01:00Z", UserExists: true) { Credential = "#1" }, await Login("lisa", remembered));
        Assert.Equal(new LoginAnswer.NoMatch("the credential unused (#2) expired at 2026-01-01 00:01:00Z", UserExists: true) { Credential = "#2" }, await Login("lisa", fresh));
    }

    [Fact]
    public async Task A_typed_password_logs_in_in_any_normal_form()
    {
        fixture.Commands.Accounts.Add(new AddAccount("lisa", [], []));
        Assert.IsType<AdminOutcome.Issued>(fixture.Commands.Credentials.Add(new AddCredential("lisa", new Secret("gr\u00fcne Wiese"))));
        Assert.IsType<LoginAnswer.Match>(await Login("lisa", "gru\u0308ne Wiese"));
        Assert.IsType<LoginAnswer.NoMatch>(await Login("lisa", "grune Wiese"));
    }

    [Fact]
    public async Task An_imported_crypt_hash_logs_in()
    {
        fixture.AddStoredHash("lisa", "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1");
        Assert.IsType<LoginAnswer.Match>(await Login("lisa", "Hello world!"));
        Assert.IsType<LoginAnswer.NoMatch>(await Login("lisa", "hello world!"));
    }

    [Fact]
    public async Task A_stored_hash_of_unknown_form_is_a_wrong_password_to_the_client_and_a_reason_in_the_log()
    {
        fixture.AddStoredHash("lisa", "{ROT13}cnffjbeq");
        var answer = Assert.IsType<LoginAnswer.NoMatch>(await Login("lisa", "password"));
        Assert.Contains("cannot be verified here", answer.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("cnffjbeq", answer.Reason, StringComparison.Ordinal);
        Assert.IsType<LoginAnswer.NoMatch>(await Login("nobody", "password"));

        var good = fixture.AddCredential("lisa");
        Assert.IsType<LoginAnswer.Match>(await Login("lisa", good));
    }

    [Fact]
    public async Task A_directory_that_cannot_answer_is_unavailable_for_everyone()
    {
        var password = fixture.AddAccount("lisa");
        await Login("lisa", password);
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(fixture.File)!))
            File.Delete(file);
        fixture.Clock.Advance(TimeSpan.FromSeconds(2));
        var answer = Assert.IsType<LoginAnswer.Unavailable>(await Login("lisa", password));
        Assert.Contains(fixture.File, answer.Reason, StringComparison.Ordinal);
        Assert.IsType<LoginAnswer.Unavailable>(await Login("nobody", password));
    }

    [Theory]
    [InlineData("x' OR '1'='1")]
    [InlineData("lisa' --")]
    [InlineData("li%")]
    [InlineData("li\0sa")]
    [InlineData("lisa\n")]
    [InlineData("")]
    public async Task A_name_made_to_trick_a_store_is_nobodys(string name)
    {
        var password = fixture.AddAccount("lisa");
        Assert.False(Assert.IsType<LoginAnswer.NoMatch>(await Login(name, password)).UserExists);
    }

    [Fact]
    public async Task A_password_made_to_trick_sql_is_only_wrong()
    {
        fixture.AddAccount("lisa");
        Assert.IsType<LoginAnswer.NoMatch>(await Login("lisa", "' OR 1=1 --"));
    }

    [Fact]
    public async Task A_user_may_act_as_itself_in_any_spelling_and_as_nobody_else()
    {
        fixture.AddAccount("lisa");
        fixture.AddAccount("bob");
        Assert.Equal(new LoginAnswer.Match("lisa"), await verifiers.Grants.ActAsAsync("lisa", "LISA", CancellationToken.None));
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Grants.ActAsAsync("lisa", "bob", CancellationToken.None));
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Grants.ActAsAsync("lisa", "lisa\0", CancellationToken.None));
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Grants.ActAsAsync("lisa", "", CancellationToken.None));
    }

    [Fact]
    public async Task The_first_store_that_knows_the_user_answers()
    {
        var right = new FixedStore("first", Stored("lisa", "pencil").ToAnswer());
        var other = new FixedStore("second", Stored("lisa", "brush").ToAnswer());
        var unknown = new FixedStore("zero", StoredLogin.Nobody);
        var chain = Chain(unknown, right, other);
        Assert.IsType<LoginAnswer.Match>(await Login("lisa", "pencil", chain));
        Assert.Equal(0, other.Asked);
        Assert.IsType<LoginAnswer.NoMatch>(await Login("lisa", "brush", chain));
        Assert.IsType<LoginAnswer.NoMatch>(await Login("lisa", "nothing", chain));
    }

    [Fact]
    public async Task A_store_that_cannot_answer_stops_the_chain()
    {
        var known = new FixedStore("second", Stored("lisa", "pencil").ToAnswer());
        var chain = Chain(new FixedStore("first", new LoginAnswer.Unavailable("it sleeps")), known);
        Assert.Equal(new LoginAnswer.Unavailable("first: it sleeps"), await Login("lisa", "pencil", chain));
        Assert.Equal(0, known.Asked);
        Assert.IsType<LoginAnswer.Unavailable>(await Login("lisa", "pencil", Chain()));
    }

    [Fact]
    public async Task What_one_store_remembers_is_not_good_in_another()
    {
        var cache = new VerificationCache(fixture.Clock);
        var login = Stored("lisa", "pencil");
        await Login("lisa", "pencil", new AccountVerifiers([new FixedStore("a", login.ToAnswer())], fixture.Pool, cache, fixture.Clock));
        await Login("lisa", "pencil", new AccountVerifiers([new FixedStore("b", login.ToAnswer())], fixture.Pool, cache, fixture.Clock));
        Assert.Equal(2, fixture.Pool.Computed);
    }

    [Fact]
    public async Task A_full_pool_is_unavailable_for_known_and_unknown_but_a_remembered_login_passes()
    {
        using var hash = new GatedHash();
        using var small = new HashingPool(new HashingPoolOptions { Threads = 1, QueueLength = 1 });
        var password = fixture.AddAccount("lisa");
        var store = fixture.Store();
        var chain = new AccountVerifiers([store], small, new VerificationCache(fixture.Clock), fixture.Clock);
        Assert.IsType<LoginAnswer.Match>(await Login("lisa", password, chain));

        var blocking = new AccountVerifiers([new FixedStore("gated", hash.Login("slow").ToAnswer())], small, new VerificationCache(fixture.Clock), fixture.Clock);
        var running = Login("slow", "one", blocking).AsTask();
        await hash.StartedAsync();
        var waiting = Login("slow", "two", blocking).AsTask();

        Assert.IsType<LoginAnswer.Busy>(await Login("lisa", "wrong", chain));
        Assert.IsType<LoginAnswer.Busy>(await Login("nobody", "wrong", chain));
        Assert.IsType<LoginAnswer.Match>(await Login("lisa", password, chain));
        hash.Allow(2);
        await running;
        await waiting;
    }

    [Fact]
    public void Nothing_that_is_printed_shows_a_secret_or_a_hash()
    {
        const string Canary = "canary-in-the-mine";
        var hash = ScramHash.ForGenerated(new Secret(Canary));
        var login = new StoredLogin("lisa", refusal: null, [new StoredCredential("c", hash, ExpiresAt: null)]);
        var details = new CredentialDetails(1, "lisa", "l", "s", Generated: true, default, ExpiresAt: null, Expired: false);
        object[] printed =
        [
            new Secret(Canary), new AddCredential("lisa", new Secret(Canary)), new AdminOutcome.Issued("m", details, new Secret(Canary)), hash, login,
            login.Credentials[0], login.ToAnswer(), new LoginAnswer.Found<StoredCredential>("lisa", login.Credentials[0]),
            PasswordHash.Parse(Canary), PasswordHash.Parse("$6$" + Canary), PasswordHash.Parse("{PLAIN}" + Canary),
            new HashRequest("lisa", "r", new Secret(Canary), IsGenerated: false), new LoginAnswer.Found<SharedSecret>("lisa", new(Encoding.UTF8.GetBytes(Canary))),
        ];
        Assert.All(printed, p => Assert.DoesNotContain(Canary, p.ToString(), StringComparison.Ordinal));
        Assert.All(printed, p => Assert.DoesNotContain(hash.Stored, p.ToString(), StringComparison.Ordinal));
    }

    private ValueTask<LoginAnswer> Login(string user, string password, AccountVerifiers? with = null) =>
        (with ?? verifiers).Passwords.CheckAsync(user, Encoding.UTF8.GetBytes(password), "192.0.2.1", CancellationToken.None);

    private AccountVerifiers Chain(params IAccountStore[] stores) => new(stores, fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock);

    private static StoredLogin Stored(string user, string password) =>
        new(user, refusal: null, [new StoredCredential("c", ScramHash.Create(new Secret(password), 1, [1]), ExpiresAt: null)]);

    private sealed class FixedStore(string name, LoginAnswer answer) : IAccountStore
    {
        public string Name => name;

        public StoredForms Forms => StoredForms.All;

        public StoredForms CommonForms => StoredForms.All;

        public HashCosts Costs => HashCosts.None;

        public string Realm => "mail.example.org";

        public bool AnswersFromMemory => true;

        public int Asked { get; private set; }

        public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct)
        {
            Asked++;
            return new(answer);
        }
    }
}
