using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Audit.Events;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>The stores that are text files.</summary>
public sealed class CredentialFileTests : IDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly DirectoryFixture fixture = new();

    private string Path => fixture.Beside("passwd");

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task Each_line_is_a_user_whatever_form_the_password_has()
    {
        var scram = ScramHash.ForGenerated(new Sasl.Secret("brush-and-ink")).Stored;
        var verifiers = Open($"# staff\n\nLisa@Example.org:tiger:lily\nbob:{scram}\r\ncarl:{{PLAIN}}$6$no-hash");
        Assert.Equal(new LoginAnswer.Match("lisa@example.org"), await LogInAsync(verifiers, "lisa@EXAMPLE.org", "tiger:lily"));
        Assert.Equal(new LoginAnswer.Match("bob"), await LogInAsync(verifiers, "bob", "brush-and-ink"));
        Assert.Equal(new LoginAnswer.Match("carl"), await LogInAsync(verifiers, "carl", "$6$no-hash"));
        Assert.Equal(new LoginAnswer.NoMatch("wrong password", UserExists: true), await LogInAsync(verifiers, "lisa@example.org", "tiger"));
        Assert.Equal(new LoginAnswer.NoMatch("unknown user", UserExists: false), await LogInAsync(verifiers, "# staff", "tiger"));
        Assert.Empty(fixture.Audit.Events);
    }

    [Fact]
    public async Task A_digest_file_serves_its_own_realm_and_lines_of_others_log_nobody_in()
    {
        var secret = Convert.ToHexString(DigestSecret.Derive("Lisa", "mail.example.org", "tiger"));
        await File.WriteAllTextAsync(Path, $"Lisa:mail.example.org:{secret}\nbob:another:{secret}\n", TestContext.Current.CancellationToken);
        var verifiers = Verifiers($"digest://{Path}");
        Assert.Equal(new LoginAnswer.Match("lisa"), await LogInAsync(verifiers, "lisa", "tiger"));
        Assert.Equal(new LoginAnswer.NoMatch("wrong password", UserExists: true), await LogInAsync(verifiers, "lisa", "Tiger"));
        Assert.Equal(new LoginAnswer.NoMatch("unknown user", UserExists: false), await LogInAsync(verifiers, "bob", "tiger"));
        Assert.Equal(Convert.FromHexString(secret), Assert.IsType<LoginAnswer.Found<SharedSecret>>(await verifiers.DigestSecrets.FindDigestAsync("lisa", "mail.example.org", peer: null, CancellationToken.None)).Stored.Octets);
        Assert.EndsWith("line 2: its realm is 'another', not 'mail.example.org'", Assert.Single(fixture.Audit.Events.OfType<ServerEvent>()).Detail, StringComparison.Ordinal);
    }

    /// <summary>The event says where and what, and quotes nothing of the line.</summary>
    [Theory]
    [InlineData("no-colon-canary", "it is not 'user:password'")]
    [InlineData(":canary", "it is not 'user:password'")]
    [InlineData("user:", "the password is empty")]
    [InlineData("us\u0001er:canary", "the user name is not one that an account can have")]
    [InlineData("user:canary\u0007", "the password holds a control character")]
    [InlineData("LISA:canary", "its user stands above already; this line is not used")]
    public async Task A_line_that_is_wrong_is_told_once_and_keeps_nobody_else_out(string line, string problem)
    {
        var verifiers = Open($"lisa:tiger\n{line}\nbob:brush");
        fixture.Clock.Advance(LookInterval);
        Assert.IsType<LoginAnswer.Match>(await LogInAsync(verifiers, "lisa", "tiger"));
        Assert.IsType<LoginAnswer.Match>(await LogInAsync(verifiers, "bob", "brush"));
        Assert.IsType<LoginAnswer.NoMatch>(await LogInAsync(verifiers, "lisa", "canary"));
        var told = Assert.Single(fixture.Audit.Events.OfType<ServerEvent>());
        Assert.Equal("accounts_file", told.Event);
        Assert.Contains($"{Path}, line 2: {problem}", told.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", told.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lisa\uff05other@example.org")]
    [InlineData("lisa\uff20example.org")]
    [InlineData("lisa@sales\uff0eexample.org")]
    public async Task Row_228_no_account_owns_an_address_that_normalization_made(string name)
    {
        var verifiers = Open($"{name}:tiger\nbob:brush\n");
        Assert.IsType<LoginAnswer.Match>(await LogInAsync(verifiers, "bob", "brush"));
        Assert.IsType<LoginAnswer.NoMatch>(await LogInAsync(verifiers, name, "tiger"));
        Assert.True(LoginNames.TryCanonical(name, out var canonical));
        Assert.Null(await new AllAccounts(fixture.Database, new([fixture.Store($"file://{Path}")], fixture.Database)).FindAccountAsync(canonical, TestContext.Current.CancellationToken));
        Assert.Contains("write its signs in ASCII", Assert.Single(fixture.Audit.Events.OfType<ServerEvent>().Select(static e => e.Detail).Distinct()), StringComparison.Ordinal);
        Assert.IsType<Relay.Admin.AdminOutcome.Invalid>(fixture.Commands.Accounts.Add(new Relay.Admin.AddAccount(name, [], [])));
        Assert.IsType<Relay.Admin.AdminOutcome.Invalid>(new Relay.Admin.CredentialFileCommands(fixture.Beside("other")).Set(name, Relay.Accounts.Hashes.SharedHash.Create("tiger")!));
    }

    [Fact]
    public async Task A_changed_file_counts_within_a_second()
    {
        var verifiers = Open("lisa:tiger\n");
        await File.WriteAllTextAsync(Path, "lisa:a-new-one\n", TestContext.Current.CancellationToken);
        fixture.Clock.Advance(LookInterval);
        Assert.IsType<LoginAnswer.NoMatch>(await LogInAsync(verifiers, "lisa", "tiger"));
        Assert.IsType<LoginAnswer.Match>(await LogInAsync(verifiers, "lisa", "a-new-one"));
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_unavailable_until_it_can()
    {
        var verifiers = Verifiers($"file://{Path}");
        Assert.Equal(new LoginAnswer.Unavailable($"file://{Path}: {Path}: there is no such file"), await LogInAsync(verifiers, "lisa", "tiger"));
        await File.WriteAllBytesAsync(Path, [(byte)'l', (byte)':', 0xff], TestContext.Current.CancellationToken);
        fixture.Clock.Advance(LookInterval);
        Assert.EndsWith("it is not UTF-8 text", Assert.IsType<LoginAnswer.Unavailable>(await LogInAsync(verifiers, "lisa", "tiger")).Reason, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path, "lisa:tiger\n", TestContext.Current.CancellationToken);
        fixture.Clock.Advance(LookInterval);
        Assert.IsType<LoginAnswer.Match>(await LogInAsync(verifiers, "lisa", "tiger"));
    }

    [Fact]
    public async Task An_unknown_user_is_checked_like_some_known_one()
    {
        var verifiers = Open("lisa:tiger\nbob:brush\n");
        for (var i = 1; i <= 4; i++)
        {
            Assert.Equal(new LoginAnswer.NoMatch("unknown user", UserExists: false), await LogInAsync(verifiers, $"nobody{i}", "tiger"));
            Assert.Equal(i, fixture.Pool.Computed);
        }
    }

    [Fact]
    public async Task A_user_of_a_file_may_send_as_its_own_name_and_an_account_of_the_directory_counts_before_it()
    {
        await File.WriteAllTextAsync(Path, "lisa@example.org:tiger\nbob:brush\n", TestContext.Current.CancellationToken);
        var accounts = new AllAccounts(fixture.Database, new([fixture.Store(), fixture.Store($"file://{Path}")], fixture.Database));
        Assert.Equal(["lisa@example.org"], (await FindAsync("lisa@example.org"))!.Addresses);
        Assert.Empty((await FindAsync("bob"))!.Addresses);
        Assert.Null(await FindAsync("nobody"));
        fixture.Commands.Accounts.Add(new Relay.Admin.AddAccount("bob", ["sales@example.org"], []));
        Assert.Equal(["sales@example.org"], (await FindAsync("bob"))!.Addresses);
        File.Delete(Path);
        fixture.Clock.Advance(LookInterval);
        await Assert.ThrowsAsync<DirectoryUnavailableException>(() => FindAsync("lisa@example.org"));

        async Task<Account?> FindAsync(string name) => await accounts.FindAccountAsync(name, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_account_that_is_disabled_in_the_directory_cannot_log_in_by_a_file()
    {
        var verifiers = Open("lisa:tiger\n");
        fixture.Commands.Accounts.Add(new Relay.Admin.AddAccount("lisa", [], []));
        Assert.IsType<LoginAnswer.Match>(await LogInAsync(verifiers, "lisa", "tiger"));
        fixture.Commands.Accounts.Disable("lisa");
        Assert.Equal(new LoginAnswer.NoMatch("the account is disabled", UserExists: true), await LogInAsync(verifiers, "lisa", "tiger"));
        Assert.Equal("the account is disabled", Assert.IsType<LoginAnswer.Found<SharedSecret>>(await verifiers.SharedSecrets.FindSecretAsync("lisa", peer: null, CancellationToken.None)).Refusal);
        Assert.Equal(new LoginAnswer.NoMatch("the account is disabled", UserExists: true), await verifiers.IdentifyAsync("lisa", CancellationToken.None));
    }

    private AccountVerifiers Open(string content)
    {
        File.WriteAllText(Path, content);
        return Verifiers($"file://{Path}");
    }

    private AccountVerifiers Verifiers(string uri) =>
        new([fixture.Store(uri)], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database, Decoys = fixture.StoreContext.Decoys };

    private static ValueTask<LoginAnswer> LogInAsync(AccountVerifiers verifiers, string user, string password) =>
        verifiers.Passwords.CheckAsync(user, Encoding.UTF8.GetBytes(password), peer: null, CancellationToken.None);
}
