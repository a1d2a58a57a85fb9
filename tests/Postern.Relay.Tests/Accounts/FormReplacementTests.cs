using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A weak stored form is gone when its user has logged in, and nobody notices.</summary>
public sealed class FormReplacementTests : IDisposable
{
    private const string Password = "geheim-Wort-1";
    private const string Ssha = "{SSHA}+Mhtx/+EHjNOtGQe04TYji4GXQFJZOPR";
    private const string Md5 = "$1$.OmOZXmB$OHiwDATFcc1QiqwB9dBqA0";

    private readonly DirectoryFixture fixture = new();
    private readonly FormReplacement replacement;
    private readonly AccountVerifiers verifiers;

    public FormReplacementTests()
    {
        replacement = new FormReplacement(fixture.Database, fixture.Audit, fixture.Clock);
        verifiers = new AccountVerifiers([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database, Replacement = replacement };
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        replacement.Dispose();
        fixture.Dispose();
    }

    [Theory]
    [InlineData(Ssha)]
    [InlineData(Md5)]
    [InlineData("{MD5-CRYPT}" + Md5)]
    [InlineData("{DES-CRYPT}6j1DuYcN47OiY")]
    [InlineData("{PLAIN-MD5}e4ac5d0b2b24c76e535345d98f93275b")]
    public async Task A_weak_form_is_replaced_by_the_usual_one_and_everything_else_about_the_credential_stays(string stored)
    {
        fixture.AddStoredHash("lisa", stored);
        fixture.Execute("update credentials set label = 'imported', expires_at = 4102444800000");
        var before = Assert.Single(fixture.Queries.Account("lisa")!.Credentials);

        var session = await LogInAsync();
        await SettleAsync();

        var after = Assert.Single(fixture.Queries.Account("lisa")!.Credentials);
        Assert.Equal(before with { Scheme = "SCRAM-SHA-256", Weakness = null }, after);
        Assert.IsType<LoginAnswer.Holds>(await session.ReviewAsync(Ct));
        await LogInAsync();
        Assert.IsType<LoginAnswer.Found<ScramSecret>>(await verifiers.ScramSecrets.FindAsync("lisa", HashAlgorithmName.SHA256, peer: null, Ct));
        Assert.Contains("SCRAM-SHA-256", verifiers.UsualMechanisms);
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Passwords.CheckAsync("lisa", "wrong"u8.ToArray(), peer: null, Ct));
        var told = Assert.Single(fixture.Audit.Events.OfType<AdminEvent>());
        Assert.Equal(("postern", "credential strengthened"), (told.Actor, told.Action));

        fixture.Commands.Credentials.Revoke(new RevokeCredential("lisa", "imported"));
        Assert.IsType<LoginAnswer.NoMatch>(await session.ReviewAsync(Ct));
    }

    [Theory]
    [InlineData("{PLAIN}geheim-Wort-1")]
    [InlineData("{CRAM-MD5}e1f41b54f4f129090743e4e9b41eff8e72d8f4ea40c95adaa6265a74e354c286")]
    [InlineData("$5$WI6VPSIcfCbrNdDG$Z8FxiLBB54Fqlo/HhW7W0GBfMl9aQFEqFuDd9JTg/Y9")]
    public async Task What_is_slow_or_serves_another_mechanism_stays(string stored)
    {
        fixture.AddStoredHash("lisa", stored);
        await LogInAsync();
        await SettleAsync();
        Assert.Equal(stored, Stored());
    }

    [Fact]
    public async Task A_wrong_password_and_a_disabled_account_replace_nothing()
    {
        fixture.AddStoredHash("lisa", Ssha);
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Passwords.CheckAsync("lisa", "wrong"u8.ToArray(), peer: null, Ct));
        fixture.Commands.Accounts.Disable("lisa");
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Passwords.CheckAsync("lisa", Encoding.UTF8.GetBytes(Password), peer: null, Ct));
        await SettleAsync();
        Assert.Equal(Ssha, Stored());
    }

    [Fact]
    public async Task A_credential_that_was_changed_meanwhile_is_left_alone_and_ends_the_session()
    {
        fixture.AddStoredHash("lisa", Ssha);
        var login = Assert.IsType<LoginAnswer.Found<StoredLogin>>(fixture.Database.FindLogin("lisa")).Stored;
        var session = await LogInAsync(replaces: false);
        fixture.Execute($"update credentials set secret = '{Md5}'");
        replacement.Offer(login, login.Credentials[0], Encoding.UTF8.GetBytes(Password));
        await SettleAsync();
        Assert.Equal(Md5, Stored());
        Assert.IsType<LoginAnswer.NoMatch>(await session.ReviewAsync(Ct));
    }

    [Fact]
    public async Task A_database_that_cannot_be_written_is_told_once_and_fails_no_login()
    {
        using var locked = new DirectoryFixture(TimeSpan.FromMilliseconds(20));
        locked.AddStoredHash("lisa", Ssha);
        using var replaces = new FormReplacement(locked.Database, locked.Audit, locked.Clock);
        var busy = new AccountVerifiers([locked.Store()], fixture.Pool, new VerificationCache(capacity: 1, TimeSpan.Zero, locked.Clock), locked.Clock) { Replacement = replaces };
        using (var other = locked.Connect())
        {
            using var command = other.CreateCommand();
            command.CommandText = "begin immediate";
            command.ExecuteNonQuery();
            for (var i = 0; i < 3; i++)
            {
                Assert.IsType<LoginAnswer.Match>(await busy.Passwords.CheckAsync("lisa", Encoding.UTF8.GetBytes(Password), peer: null, Ct));
                while (!replaces.IsIdle)
                    await Task.Yield();
            }
        }

        Assert.Equal("weak_form_kept", Assert.Single(locked.Audit.Events.OfType<ServerEvent>()).Event);
        Assert.IsType<LoginAnswer.Match>(await busy.Passwords.CheckAsync("lisa", Encoding.UTF8.GetBytes(Password), peer: null, Ct));
        while (!replaces.IsIdle)
            await Task.Yield();
        Assert.Null(Assert.Single(locked.Queries.Account("lisa")!.Credentials).Weakness);
    }

    [Fact]
    public async Task A_file_keeps_what_its_operator_wrote()
    {
        var passwd = fixture.Beside("passwd");
        await File.WriteAllTextAsync(passwd, $"lisa:{Ssha}\n", Ct);
        var files = new AccountVerifiers([fixture.Store($"file://{passwd}")], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Replacement = replacement };
        Assert.IsType<LoginAnswer.Match>(await files.Passwords.CheckAsync("lisa", Encoding.UTF8.GetBytes(Password), peer: null, Ct));
        await SettleAsync();
        Assert.Equal($"lisa:{Ssha}\n", await File.ReadAllTextAsync(passwd, Ct));
    }

    private async Task<ILoginAuthority> LogInAsync(bool replaces = true)
    {
        var by = replaces ? verifiers : new AccountVerifiers([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database };
        return Assert.IsType<LoginAnswer.Match>(await by.Passwords.CheckAsync("lisa", Encoding.UTF8.GetBytes(Password), peer: null, Ct)).Authority!;
    }

    private async Task SettleAsync()
    {
        while (!replacement.IsIdle)
            await Task.Yield();
    }

    private string Stored()
    {
        using var connection = fixture.Connect();
        using var command = connection.CreateCommand();
        command.CommandText = "select secret from credentials";
        return (string)command.ExecuteScalar()!;
    }
}
