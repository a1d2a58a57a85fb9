using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Credentials;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Several secrets of one account, each with its own limits, and what is known of their use.</summary>
public sealed class AppPasswordTests : IDisposable
{
    private const string Main = "correct horse";
    private const string Phone = "192.0.2.7";
    private const string Thief = "203.0.113.9";

    private readonly DirectoryFixture fixture = new();
    private readonly CredentialUses uses;
    private readonly LoginProtection protection;
    private readonly AccountVerifiers verifiers;

    public AppPasswordTests()
    {
        uses = new CredentialUses(fixture.Database, LastUseFile.Beside(fixture.File), fixture.Audit, fixture.Clock);
        protection = new LoginProtection(new LoginProtectionOptions { LongestDelay = TimeSpan.Zero }, fixture.Audit, fixture.Clock);
        verifiers = On("submission");
        fixture.Commands.Accounts.Add(new AddAccount("lisa@example.org", [], []));
        Assert.IsType<AdminOutcome.Issued>(fixture.Commands.Credentials.Add(new AddCredential("lisa@example.org", new Secret(Main))));
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        uses.Dispose();
        fixture.Dispose();
    }

    [Fact]
    public async Task Each_secret_logs_in_and_says_by_its_number_which_one_it_was()
    {
        var (phone, printer) = (Add("phone"), Add("printer"));

        Assert.Equal("#1", Assert.IsType<LoginAnswer.Match>(await LogInAsync(Main)).Credential);
        Assert.Equal("#2", Assert.IsType<LoginAnswer.Match>(await LogInAsync(phone)).Credential);
        Assert.Equal("#3", Assert.IsType<LoginAnswer.Match>(await LogInAsync(printer)).Credential);
        Assert.Equal("#3", Assert.IsType<LoginAnswer.Match>(await LogInAsync(printer)).Credential); // from memory
    }

    [Fact]
    public async Task Elsewhere_the_right_secret_is_a_wrong_one_and_the_reason_is_told_to_the_log_alone()
    {
        var phone = Add("phone", new CredentialScope(["submission"], ["192.0.2.0/24"]));

        Assert.IsType<LoginAnswer.Match>(await LogInAsync(phone));
        // Remembered where it is good, and looked at elsewhere all the same.
        Assert.Equal(
            new LoginAnswer.NoMatch("the credential phone (#2) may be used from 192.0.2.0/24, and not from 203.0.113.9", UserExists: true) { Credential = "#2" },
            await LogInAsync(phone, Thief));
        Assert.Equal(
            new LoginAnswer.NoMatch("the credential phone (#2) may be used on submission, and not on smtps", UserExists: true) { Credential = "#2" },
            await LogInAsync(phone, on: On("smtps")));
        Assert.IsType<LoginAnswer.Match>(await LogInAsync(Main, Thief, On("smtps")));
        Assert.IsType<LoginAnswer.Match>(await LogInAsync(phone));
    }

    /// <summary>What it costs may not tell that the secret is right.</summary>
    [Fact]
    public async Task Elsewhere_the_right_secret_costs_what_a_wrong_one_costs()
    {
        var phone = Add("phone", new CredentialScope(Networks: ["192.0.2.0/24"]));
        await LogInAsync(phone);
        var spent = new List<string>();
        fixture.Pool.Spent = cost => spent.Add(cost.ToString());

        await LogInAsync(phone, Thief);
        var right = spent.ToArray();
        spent.Clear();
        await LogInAsync("xxxx-xxxx-xxxx-xxxx-xxxx-xxxx-xxxx", Thief);

        Assert.NotEmpty(right);
        Assert.Equal(spent, right);
    }

    [Fact]
    public async Task Elsewhere_the_right_secret_counts_as_a_guess_and_as_one_however_often_it_is_tried()
    {
        var phone = Add("phone", new CredentialScope(Networks: ["192.0.2.0/24"]));
        for (var i = 0; i < 3; i++)
            Assert.IsType<LoginAnswer.NoMatch>(await LogInAsync(phone, Thief));

        Assert.Equal(2, protection.Counts.Repeated);
        Assert.False(protection.IsKnown("lisa@example.org", Thief));
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    public async Task The_network_of_the_first_use_is_bound_and_said(string mechanism)
    {
        var phone = Add("phone", new CredentialScope { FirstNetwork = true });
        Assert.Null(Details("phone").Limits!.BoundTo);

        Assert.Null((await MechanismPlay.PlayAsync(verifiers, mechanism, "lisa@example.org", phone, Phone)).Error);

        Assert.Equal("192.0.2.7/32", Details("phone").Limits!.BoundTo);
        Assert.Equal(SaslError.BadCredentials, (await MechanismPlay.PlayAsync(verifiers, mechanism, "lisa@example.org", phone, Thief)).Error);
        Assert.Null((await MechanismPlay.PlayAsync(verifiers, mechanism, "lisa@example.org", phone, $"::ffff:{Phone}")).Error);
        var told = Assert.Single(fixture.Audit.Events.OfType<AdminEvent>());
        Assert.Equal(("postern", "credential bound", "lisa@example.org: phone (#2)"), (told.Actor, told.Action, told.Target));
        Assert.Equal([new AdminChange("network", Before: null, "192.0.2.7/32")], told.Changes.AsEnumerable());

        // A new device: what it belonged to is forgotten.
        fixture.Commands.Credentials.Limit(new LimitCredential("lisa@example.org", "phone", new CredentialScope { FirstNetwork = true }));
        Assert.Null((await MechanismPlay.PlayAsync(verifiers, mechanism, "lisa@example.org", phone, "2001:db8:1:2::3")).Error);
        Assert.Equal("2001:db8:1:2::/64", Details("phone").Limits!.BoundTo);
        Assert.Equal(SaslError.BadCredentials, (await MechanismPlay.PlayAsync(verifiers, mechanism, "lisa@example.org", phone, Phone)).Error);
    }

    [Fact]
    public async Task Of_many_first_uses_at_once_one_network_wins()
    {
        var phone = Add("phone", new CredentialScope { FirstNetwork = true });

        var unguarded = new AccountVerifiers([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database, Uses = uses };

        var answers = await Task.WhenAll(Enumerable.Range(1, 20).Select(i => Task.Run(() => LogInAsync(phone, $"192.0.2.{i}", unguarded).AsTask(), Ct)));

        Assert.Single(answers.OfType<LoginAnswer.Match>());
        Assert.All(answers.OfType<LoginAnswer.NoMatch>(), static no => Assert.Contains("belongs to", no.Reason, StringComparison.Ordinal));
        Assert.Equal(20, answers.Count(static a => a is LoginAnswer.Match or LoginAnswer.NoMatch));
    }

    [Fact]
    public async Task A_first_network_that_cannot_be_written_down_lets_nobody_in()
    {
        using var impatient = new DirectoryFixture(TimeSpan.FromMilliseconds(50));
        impatient.Commands.Accounts.Add(new AddAccount("lisa@example.org", [], []));
        var phone = ((AdminOutcome.Issued)impatient.Commands.Credentials.Add(
            new AddCredential("lisa@example.org", Label: "phone") { IsApp = true, Scope = new CredentialScope { FirstNetwork = true } })).Generated!.Reveal();
        using var noted = new CredentialUses(impatient.Database, LastUseFile.Beside(impatient.File), impatient.Audit, impatient.Clock);
        var over = new AccountVerifiers([impatient.Store()], impatient.Pool, new VerificationCache(impatient.Clock), impatient.Clock) { Directory = impatient.Database, Uses = noted };
        using (var other = impatient.Connect())
        {
            Run(other, "begin immediate");
            Assert.IsType<LoginAnswer.Unavailable>(await over.Passwords.CheckAsync("lisa@example.org", Encoding.UTF8.GetBytes(phone), Phone, Ct));
            Run(other, "rollback");
        }

        Assert.IsType<LoginAnswer.Match>(await over.Passwords.CheckAsync("lisa@example.org", Encoding.UTF8.GetBytes(phone), Phone, Ct));
    }

    [Fact]
    public async Task What_a_trial_uses_is_bound_to_nothing()
    {
        var phone = Add("phone", new CredentialScope { FirstNetwork = true });
        var trial = new AccountVerifiers([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database };

        Assert.IsType<LoginAnswer.Match>(await LogInAsync(phone, on: trial));
        uses.Write();

        Assert.Null(Details("phone").Limits!.BoundTo);
        Assert.Null(Details("phone").LastUse);
    }

    [Fact]
    public async Task The_last_use_is_written_within_seconds_and_shown()
    {
        var phone = Add("phone");
        await LogInAsync(phone);
        await LogInAsync(phone, $"::ffff:{Thief}");
        Assert.Null(Details("phone").LastUse);
        var at = fixture.Clock.GetUtcNow();

        fixture.Clock.Advance(CredentialUses.Every);

        Assert.Equal(new LastUse(at, Thief, "submission"), Details("phone").LastUse);
        Assert.Null(fixture.Queries.Account("lisa@example.org")!.Credentials[0].LastUse);
        Assert.Equal(Details("phone"), Assert.Single(fixture.Queries.Accounts()).Credentials[1]);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(LastUseFile.Beside(fixture.File).Path));
    }

    [Fact]
    public async Task What_a_crash_takes_is_the_last_use_alone()
    {
        var phone = Add("phone", new CredentialScope { FirstNetwork = true });
        await LogInAsync(phone);
        fixture.Clock.Advance(CredentialUses.Every);
        var kept = Details("phone").LastUse;
        fixture.Clock.Advance(TimeSpan.FromSeconds(1));
        await LogInAsync(phone);

        // Nobody writes any more; the next process begins with what there is.
        using var next = new CredentialUses(fixture.Database, LastUseFile.Beside(fixture.File), fixture.Audit, fixture.Clock);

        Assert.NotNull(kept);
        Assert.Equal(kept, Details("phone").LastUse);
        Assert.Equal("192.0.2.7/32", Details("phone").Limits!.BoundTo);
        Assert.IsType<LoginAnswer.Match>(await LogInAsync(phone));
    }

    [Fact]
    public async Task A_last_use_that_cannot_be_written_fails_no_login_is_told_once_and_written_later()
    {
        var phone = Add("phone");
        var path = LastUseFile.Beside(fixture.File).Path;
        Directory.CreateDirectory(path);

        Assert.IsType<LoginAnswer.Match>(await LogInAsync(phone));
        fixture.Clock.Advance(CredentialUses.Every);
        fixture.Clock.Advance(CredentialUses.Every);
        Assert.Equal("last_use_not_kept", Assert.Single(fixture.Audit.Events.OfType<ServerEvent>()).Event);
        Directory.Delete(path);
        fixture.Clock.Advance(CredentialUses.Every);

        Assert.Equal(Phone, Details("phone").LastUse!.Client);
    }

    /// <summary>A line that is damaged, or of another credential that had the number once, is no last use.</summary>
    [Fact]
    public async Task What_is_no_line_of_this_credential_is_no_last_use()
    {
        var file = LastUseFile.Beside(fixture.File);
        await File.WriteAllTextAsync(file.Path, new string('x', 1000), Ct);
        Assert.Null(file.Read(1));
        Assert.Empty(file.ReadAll());
        Assert.Null(file.Read(1_000_000));

        file.Write([new(2, new LastUse(fixture.Clock.GetUtcNow() - TimeSpan.FromDays(1), Phone, "submission"))]);
        Add("phone");
        Assert.NotNull(file.Read(2));
        Assert.Null(Details("phone").LastUse);

        file.Write([new(3, new LastUse(fixture.Clock.GetUtcNow(), "2001:0db8:1234:5678:9abc:def0:1234:5678", new string('n', 200)))]);
        Assert.Equal(new string('n', 50), file.Read(3)!.Listener![..50]);
    }

    /// <summary>What is made beside a secret has its salt and count.</summary>
    [Fact]
    public async Task One_challenge_serves_the_accounts_own_secret_and_every_app_password()
    {
        string[] secrets = [Main, Add("phone"), Add("tablet", new CredentialScope(Networks: ["198.51.100.0/24"])), Add("printer", life: TimeSpan.FromHours(1))];

        Assert.Equal([null, null, SaslError.BadCredentials, null], await Task.WhenAll(secrets.Select(PlayAsync)));
        Assert.Equal(SaslError.BadCredentials, await PlayAsync("no such secret"));
        uses.Write();
        Assert.Equal([true, true, false, true], fixture.Queries.Account("lisa@example.org")!.Credentials.Select(static c => c.LastUse is not null));
        fixture.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(SaslError.BadCredentials, await PlayAsync(secrets[3]));

        // The own one is another now, and is made beside what it stands in the place of.
        fixture.Commands.Credentials.Add(new AddCredential("lisa@example.org", new Secret("battery staple")) { Replaces = new RevokeCredential("lisa@example.org", "1") });
        Assert.Equal([SaslError.BadCredentials, null], await Task.WhenAll(((string[])[secrets[0], secrets[1]]).Select(PlayAsync)));
        Assert.Null(await PlayAsync("battery staple"));

        async Task<SaslError?> PlayAsync(string secret) => (await MechanismPlay.PlayAsync(verifiers, "SCRAM-SHA-256", "lisa@example.org", secret, Phone)).Error;
    }

    [Fact]
    public async Task Which_of_them_it_was_counts_for_everything_that_follows()
    {
        var (phone, tablet) = (Add("phone"), Add("tablet", new CredentialScope(Networks: ["198.51.100.0/24"])));

        var found = Assert.IsType<LoginAnswer.Found<ScramSecret>>(await verifiers.ScramSecrets.FindAsync("lisa@example.org", HashAlgorithmName.SHA256, Phone, Ct));

        Assert.Equal(("#1", null), (found.Credential, found.Refusal));
        Assert.Equal(["#2", "#3"], found.Alike.Select(static one => one.Credential!));
        Assert.Equal([null, "the credential tablet (#3) may be used from 198.51.100.0/24, and not from 192.0.2.7"], found.Alike.Select(static one => one.Refusal));
        fixture.Commands.Credentials.Revoke(new RevokeCredential("lisa@example.org", "phone"));
        Assert.IsType<LoginAnswer.Holds>(await found.Authority!.ReviewAsync(Ct));
        Assert.IsType<LoginAnswer.NoMatch>(await found.Alike[0].Authority!.ReviewAsync(Ct));
        Assert.NotEqual(phone, tablet);

        // As many proofs are computed for a user who does not exist.
        Assert.Equal(3, found.Proofs);
        Assert.Equal(3, Assert.IsType<LoginAnswer.NoMatch>(await verifiers.ScramSecrets.FindAsync("nobody", HashAlgorithmName.SHA256, Phone, Ct)).Proofs);
    }

    /// <summary>Ten app passwords do not make the wrong passwords of everybody eleven times as costly.</summary>
    [Fact]
    public async Task Secrets_with_one_salt_and_count_cost_what_one_costs()
    {
        var computed = new List<string>();
        fixture.Pool.Spent = cost => computed.Add(cost.ToString());
        await LogInAsync("wrong");
        var alone = computed.ToArray();
        var secrets = Enumerable.Range(0, 10).Select(i => Add($"app {i}")).ToArray();
        computed.Clear();

        await LogInAsync("wrong again");
        Assert.Equal(alone, computed);
        Assert.Equal("pbkdf2 SCRAM-SHA-256 x 200000", Assert.Single(alone));
        foreach (var secret in secrets)
            Assert.IsType<LoginAnswer.Match>(await LogInAsync(secret));
        Assert.Equal("#11", Assert.IsType<LoginAnswer.Match>(await LogInAsync(secrets[9])).Credential);
    }

    /// <summary>A person's password is not kept by the count of a secret that was made.</summary>
    [Fact]
    public async Task What_a_person_chose_is_never_made_cheap()
    {
        fixture.Commands.Accounts.Add(new AddAccount("bob", [], []));
        var made = Assert.IsType<AdminOutcome.Issued>(fixture.Commands.Credentials.Add(new AddCredential("bob", Label: "phone") { IsApp = true })).Generated!.Reveal();
        Assert.IsType<AdminOutcome.Issued>(fixture.Commands.Credentials.Add(new AddCredential("bob", new Secret("correct horse"), "own")));

        var login = Assert.IsType<LoginAnswer.Found<StoredLogin>>(fixture.Database.FindLogin("bob")).Stored;

        Assert.Equal([4096, 200_000], login.Credentials.Select(static c => c.Hash.Cost.Units));
        Assert.Null((await MechanismPlay.PlayAsync(verifiers, "SCRAM-SHA-256", "bob", "correct horse", Phone)).Error);
        Assert.Equal(SaslError.BadCredentials, (await MechanismPlay.PlayAsync(verifiers, "SCRAM-SHA-256", "bob", made, Phone)).Error);
        Assert.Null((await MechanismPlay.PlayAsync(verifiers, "PLAIN", "bob", made, Phone)).Error);
    }

    [Fact]
    public void Where_the_own_secret_answers_no_challenge_none_is_on_offer_whatever_app_passwords_could()
    {
        Add("phone");
        Assert.Contains("SCRAM-SHA-256", verifiers.UsualMechanisms);

        fixture.AddStoredHash("bob", "$2b$04$3TyUdwIp6Q2HLoUMsRPTmO0PbtmvSF6pFnuTQqWS3GxpcVCwy5aQa");
        Assert.IsType<AdminOutcome.Issued>(fixture.Commands.Credentials.Add(new AddCredential("bob", Label: "phone") { IsApp = true }));

        Assert.DoesNotContain("SCRAM-SHA-256", verifiers.UsualMechanisms);
    }

    [Fact]
    public async Task An_account_with_app_passwords_alone_answers_a_challenge_within_their_limits()
    {
        fixture.Commands.Accounts.Add(new AddAccount("scanner", [], []));
        var secret = Assert.IsType<AdminOutcome.Issued>(fixture.Commands.Credentials.Add(
            new AddCredential("scanner", Label: "floor 1") { IsApp = true, Scope = new CredentialScope { FirstNetwork = true } })).Generated!.Reveal();

        Assert.Null((await MechanismPlay.PlayAsync(verifiers, "SCRAM-SHA-256", "scanner", secret, Phone)).Error);
        Assert.Equal(SaslError.BadCredentials, (await MechanismPlay.PlayAsync(verifiers, "SCRAM-SHA-256", "scanner", secret, Thief)).Error);
        Assert.Equal("192.0.2.7/32", Assert.Single(fixture.Queries.Account("scanner")!.Credentials).Limits!.BoundTo);
        var found = Assert.IsType<LoginAnswer.Found<ScramSecret>>(await verifiers.ScramSecrets.FindAsync("scanner", HashAlgorithmName.SHA256, Thief, Ct));
        Assert.Equal(("#2", "the credential floor 1 (#2) belongs to 192.0.2.7/32, where it was used first, and not to 203.0.113.9"), (found.Credential, found.Refusal));
        uses.Write();
        Assert.Equal(Phone, Assert.Single(fixture.Queries.Account("scanner")!.Credentials).LastUse!.Client);
    }

    [Fact]
    public async Task An_open_session_ends_with_its_app_password()
    {
        var phone = Add("phone", life: TimeSpan.FromHours(1));
        var authority = Assert.IsType<LoginAnswer.Match>(await LogInAsync(phone)).Authority!;
        Assert.IsType<LoginAnswer.Holds>(await authority.ReviewAsync(Ct));

        Limit(new CredentialScope(Networks: ["198.51.100.0/24"]));
        Assert.Contains("may be used from", Assert.IsType<LoginAnswer.NoMatch>(await authority.ReviewAsync(Ct)).Reason, StringComparison.Ordinal);
        Limit(new CredentialScope(Networks: []));
        Assert.IsType<LoginAnswer.Holds>(await authority.ReviewAsync(Ct));
        Limit(new CredentialScope { FirstNetwork = true });
        Assert.IsType<LoginAnswer.Holds>(await authority.ReviewAsync(Ct));
        await LogInAsync(phone, Thief);
        Assert.IsType<LoginAnswer.NoMatch>(await authority.ReviewAsync(Ct));
        Limit(new CredentialScope { FirstNetwork = false });
        Assert.IsType<LoginAnswer.Holds>(await authority.ReviewAsync(Ct));

        fixture.Clock.Advance(TimeSpan.FromHours(2));
        Assert.IsType<LoginAnswer.NoMatch>(await authority.ReviewAsync(Ct));
        Assert.Contains("the credential phone (#2) expired", Assert.IsType<LoginAnswer.NoMatch>(await LogInAsync(phone)).Reason, StringComparison.Ordinal);
        Assert.IsType<AdminOutcome.Done>(fixture.Commands.Credentials.Limit(new LimitCredential("lisa@example.org", "2", CredentialScope.Same) { NeverExpires = true }));
        Assert.IsType<LoginAnswer.Holds>(await authority.ReviewAsync(Ct));
        fixture.Commands.Credentials.Revoke(new RevokeCredential("lisa@example.org", "2"));
        Assert.IsType<LoginAnswer.NoMatch>(await authority.ReviewAsync(Ct));
        Assert.IsType<LoginAnswer.Match>(await LogInAsync(Main));
    }

    [Fact]
    public void Replaced_it_keeps_its_label_its_end_its_limits_and_its_network()
    {
        Add("phone", new CredentialScope(["submission"], ["192.0.2.0/24"], ["@example.org"]) { FirstNetwork = true }, TimeSpan.FromDays(90));
        fixture.Execute("update credentials set bound_network = '192.0.2.7/32' where id = 2");
        var before = Details("phone");

        Assert.IsType<AdminOutcome.Issued>(fixture.Commands.Credentials.Add(
            new AddCredential("lisa@example.org") { Replaces = new RevokeCredential("lisa@example.org", "phone") }));

        var after = Details("phone");
        Assert.Equal((3, before.ExpiresAt, true, before.Limits!.ToString(), "192.0.2.7/32"), (after.Id, after.ExpiresAt, after.IsApp, after.Limits!.ToString(), after.Limits.BoundTo));
    }

    [Fact]
    public void A_directory_of_schema_7_is_brought_to_this_one_and_its_secrets_stay()
    {
        var path = fixture.Beside("old.db");
        var secret = ScramHash.ForGenerated(new Secret("abcd-efgh"));
        using (var old = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            old.Open();
            foreach (var step in Migrations.Steps.Take(7))
            {
                using var text = new StreamReader(typeof(Migrations).Assembly.GetManifestResourceStream(step)!);
                Run(old, text.ReadToEnd());
            }

            Run(old, "pragma user_version = 7");
            Run(old, "insert into accounts (name, created_at) values ('lisa', 0)");
            Run(old, $"insert into credentials (account_id, label, secret, generated, created_at) values (1, 'laptop', '{secret.Stored}', 1, 0)");
            Assert.Equal(DirectoryStore.Common, DirectoryReader.CommonForms(old));
        }

        using var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(path));

        var login = Assert.IsType<LoginAnswer.Found<StoredLogin>>(directory.FindLogin("lisa")).Stored;
        var credential = Assert.Single(login.Credentials);
        Assert.Equal(("laptop", "#1", false, true), (credential.Name, credential.Id, credential.IsApp, credential.Limits.IsNone));
        Assert.Null(Assert.Single(new DirectoryQueries(directory, fixture.Clock).Account("lisa")!.Credentials).LastUse);
        Assert.True(Migrations.Steps.Length > 8);
    }

    private AccountVerifiers On(string listener) => new([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock, protection)
    {
        Directory = fixture.Database,
        Listener = listener,
        Uses = uses,
    };

    private string Add(string label, CredentialScope? scope = null, TimeSpan? life = null) => Assert.IsType<AdminOutcome.Issued>(fixture.Commands.Credentials.Add(
        new AddCredential("lisa@example.org", Label: label, ExpiresAfter: life) { IsApp = true, Scope = scope ?? CredentialScope.Same })).Generated!.Reveal();

    private void Limit(CredentialScope scope) =>
        Assert.IsType<AdminOutcome.Done>(fixture.Commands.Credentials.Limit(new LimitCredential("lisa@example.org", "phone", scope)));

    private CredentialDetails Details(string label) => fixture.Queries.Account("lisa@example.org")!.Credentials.Single(c => c.Label == label);

    private ValueTask<LoginAnswer> LogInAsync(string password, string peer = Phone, AccountVerifiers? on = null) =>
        (on ?? verifiers).Passwords.CheckAsync("lisa@example.org", Encoding.UTF8.GetBytes(password), peer, Ct);

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
