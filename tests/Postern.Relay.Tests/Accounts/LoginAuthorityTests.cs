using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Admin;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>What was right at the login is asked again for as long as it is used.</summary>
public sealed class LoginAuthorityTests : IDisposable
{
    private readonly DirectoryFixture fixture = new();
    private readonly AccountVerifiers verifiers;

    public LoginAuthorityTests() =>
        verifiers = new AccountVerifiers([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database };

    public void Dispose() => fixture.Dispose();

    /// <summary>Every way in; those that show no password rest on a credential of their form.</summary>
    public static TheoryData<string> Ways() => ["password", "remembered", "scram", "scram of shared", "cram", "digest", "digest of shared", "identified"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Row_175_an_account_that_is_disabled_or_removed_is_gone_from_every_login(string way)
    {
        var authority = await LogInAsync(way);
        await ExpectAsync<LoginAnswer.Holds>(authority);
        fixture.Commands.Accounts.Disable("lisa");
        await ExpectAsync<LoginAnswer.NoMatch>(authority);
        fixture.Commands.Accounts.Enable("lisa");
        await ExpectAsync<LoginAnswer.Holds>(authority);
        fixture.Commands.Accounts.Remove("lisa");
        await ExpectAsync<LoginAnswer.NoMatch>(authority);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Row_175_the_credential_that_proved_it_is_what_counts_and_not_its_label(string way)
    {
        var authority = await LogInAsync(way);
        fixture.AddCredential("lisa", "other");
        await ExpectAsync<LoginAnswer.Holds>(authority);
        fixture.Commands.Credentials.Revoke(new RevokeCredential("lisa", "first"));
        if (way == "identified")
        {
            await ExpectAsync<LoginAnswer.Holds>(authority);
            return;
        }

        await ExpectAsync<LoginAnswer.NoMatch>(authority);
        fixture.Commands.Credentials.Add(new AddCredential("lisa", new Secret("quite another secret"), "first") { Scheme = HashSchemes.Shared });
        await ExpectAsync<LoginAnswer.NoMatch>(authority);
    }

    [Theory]
    [InlineData("password")]
    [InlineData("remembered")]
    [InlineData("scram")]
    [InlineData("cram")]
    public async Task Row_175_a_credential_that_expires_ends_the_logins_that_it_proved(string way)
    {
        var authority = await LogInAsync(way, TimeSpan.FromHours(1));
        fixture.Clock.Advance(TimeSpan.FromMinutes(59));
        await ExpectAsync<LoginAnswer.Holds>(authority);
        fixture.Clock.Advance(TimeSpan.FromMinutes(2));
        await ExpectAsync<LoginAnswer.NoMatch>(authority);
    }

    [Fact]
    public async Task Row_176_a_grant_that_is_taken_back_ends_what_rests_on_it()
    {
        fixture.AddAccount("lisa");
        fixture.AddAccount("shop");
        fixture.Commands.Accounts.Grant(new ChangeGrants("lisa", [], []) { ActsAs = ["shop"] });
        var authority = Assert.IsType<LoginAnswer.Match>(await verifiers.Grants.ActAsAsync("lisa", "SHOP", CancellationToken.None)).Authority!;
        await ExpectAsync<LoginAnswer.Holds>(authority);
        fixture.Commands.Accounts.Disable("shop");
        await ExpectAsync<LoginAnswer.NoMatch>(authority);
        fixture.Commands.Accounts.Enable("shop");
        await ExpectAsync<LoginAnswer.Holds>(authority);
        fixture.Commands.Accounts.Revoke(new ChangeGrants("lisa", [], []) { ActsAs = ["shop"] });
        await ExpectAsync<LoginAnswer.NoMatch>(authority);
    }

    [Fact]
    public async Task Row_177_a_directory_that_cannot_be_read_is_no_answer()
    {
        var (login, acting) = (await LogInAsync("password"), default(ILoginAuthority));
        fixture.AddAccount("shop");
        fixture.Commands.Accounts.Grant(new ChangeGrants("lisa", [], []) { ActsAs = ["shop"] });
        acting = Assert.IsType<LoginAnswer.Match>(await verifiers.Grants.ActAsAsync("lisa", "shop", CancellationToken.None)).Authority!;
        fixture.Database.Dispose();
        fixture.Clock.Advance(TimeSpan.FromSeconds(2));
        await ExpectAsync<LoginAnswer.Unavailable>(login);
        await ExpectAsync<LoginAnswer.Unavailable>(acting);
    }

    /// <summary>Another user of the same name, in a store that is asked earlier, is not the one who logged in.</summary>
    [Fact]
    public async Task Row_175_a_user_of_a_file_is_gone_with_its_line_and_with_its_password()
    {
        var path = fixture.Beside("passwd");
        await File.WriteAllTextAsync(path, "bob:brush-and-ink\n");
        var mixed = new AccountVerifiers([fixture.Store(), fixture.Store($"file://{path}")], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database };
        var authority = Assert.IsType<LoginAnswer.Match>(await mixed.Passwords.CheckAsync("bob", Encoding.UTF8.GetBytes("brush-and-ink"), peer: null, CancellationToken.None)).Authority!;
        await ExpectAsync<LoginAnswer.Holds>(authority);

        await RewriteAsync("bob:another-word\n");
        await ExpectAsync<LoginAnswer.NoMatch>(authority);
        await RewriteAsync("bob:brush-and-ink\n# the same again\n");
        await ExpectAsync<LoginAnswer.Holds>(authority);
        fixture.AddAccount("bob");
        await ExpectAsync<LoginAnswer.NoMatch>(authority);
        fixture.Commands.Accounts.Remove("bob");
        await RewriteAsync("# nobody\n");
        await ExpectAsync<LoginAnswer.NoMatch>(authority);

        async Task RewriteAsync(string text)
        {
            await File.WriteAllTextAsync(path, text);
            fixture.Clock.Advance(TimeSpan.FromSeconds(2));
        }
    }

    /// <summary>The hot path: asked before every message.</summary>
    [Fact]
    public async Task Row_178_nothing_is_read_and_nothing_made_while_nothing_changes()
    {
        var authority = await LogInAsync("password");
        await ExpectAsync<LoginAnswer.Holds>(authority);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
            _ = await authority.ReviewAsync(CancellationToken.None);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000);
    }

    private async Task<ILoginAuthority> LogInAsync(string way, TimeSpan? life = null)
    {
        fixture.Commands.Accounts.Add(new AddAccount("lisa", [], []));
        var scheme = way switch
        {
            "scram of shared" or "cram" or "digest of shared" => HashSchemes.Shared,
            "digest" => HashSchemes.Find("digest-md5")!,
            _ => HashSchemes.Usual,
        };
        Assert.IsType<AdminOutcome.Issued>(fixture.Commands.Credentials.Add(new AddCredential("lisa", new Secret("a long enough secret"), "first", life) { Scheme = scheme, Realm = scheme.NeedsRealm ? "mail.example.org" : null }));
        for (var again = way == "remembered" ? 1 : 0; again > 0; again--)
            await verifiers.Passwords.CheckAsync("lisa", Encoding.UTF8.GetBytes("a long enough secret"), peer: null, CancellationToken.None);
        var ct = CancellationToken.None;
        return (way switch
        {
            "scram" or "scram of shared" => Assert.IsType<LoginAnswer.Found<ScramSecret>>(await verifiers.ScramSecrets.FindAsync("lisa", HashAlgorithmName.SHA256, peer: null, ct)).Authority,
            "cram" => Assert.IsType<LoginAnswer.Found<SharedSecret>>(await verifiers.SharedSecrets.FindSecretAsync("lisa", peer: null, ct)).Authority,
            "digest" or "digest of shared" => Assert.IsType<LoginAnswer.Found<SharedSecret>>(await verifiers.DigestSecrets.FindDigestAsync("lisa", "mail.example.org", peer: null, ct)).Authority,
            "identified" => Assert.IsType<LoginAnswer.Match>(await verifiers.IdentifyAsync("lisa", ct)).Authority,
            _ => Assert.IsType<LoginAnswer.Match>(await verifiers.Passwords.CheckAsync("lisa", Encoding.UTF8.GetBytes("a long enough secret"), peer: null, ct)).Authority,
        })!;
    }

    private static async Task ExpectAsync<T>(ILoginAuthority authority) => Assert.IsType<T>(await authority.ReviewAsync(CancellationToken.None), exactMatch: true);
}
