using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Sasl;
using Postern.Sasl.Mechanisms;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Stored forms that came from elsewhere: what operators are told of them, and what clients are offered.</summary>
public sealed class WeakFormTests : IDisposable
{
    private const string Password = "geheim-Wort-1";
    private const string Ssha = "{SSHA}+Mhtx/+EHjNOtGQe04TYji4GXQFJZOPR";
    private const string Apr = "$apr1$abcdefgh$kCGGyo9dY4ZijMIZqmUYS.";
    private const string Sha512Crypt = "{SHA512-CRYPT}$6$rnVrLf3g0T1IwZ/Z$gyGH9IIONzQaLcMgp7t5YiP/nszMX4Vvsp/0NBMgNX4E4NxD/offT/UQ8S98JFqx81tseC3oNKXmK3rTCFn7V0";
    private const string Cram = "{CRAM-MD5}e1f41b54f4f129090743e4e9b41eff8e72d8f4ea40c95adaa6265a74e354c286";

    private readonly DirectoryFixture fixture = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    [Fact]
    public void Check_counts_weak_forms_of_files_and_of_the_directory()
    {
        var passwd = fixture.Beside("passwd");
        File.WriteAllText(passwd, $"lisa:{Ssha}\nbart:{Ssha}\nhomer:{Apr}\nmarge:{Sha512Crypt}\nmaggie:tiger-lily\n");
        var said = Assert.Single(Warnings(new AccountSource($"file://{passwd}", "x")), static w => w.Contains("guessed", StringComparison.Ordinal));
        Assert.Contains("3 passwords are kept in a form from which it is soon guessed when stolen (2 {SSHA}, 1 $apr1$)", said, StringComparison.Ordinal);

        Assert.Empty(Warnings(new AccountSource("directory", "x") { Database = fixture.File }));
        fixture.AddStoredHash("lisa", Ssha);
        said = Assert.Single(Warnings(new AccountSource("directory", "x") { Database = fixture.File }));
        Assert.Contains("1 password is kept in a form from which it is soon guessed when stolen (1 {SSHA})", said, StringComparison.Ordinal);
        Assert.Empty(Warnings(new AccountSource("directory", "x") { Database = fixture.Beside("nothing.db") }));
        File.WriteAllText(fixture.Beside("broken.db"), new string('x', 8192));
        Assert.Contains("not a database", Assert.Single(Warnings(new AccountSource("directory", "x") { Database = fixture.Beside("broken.db") })), StringComparison.Ordinal);
    }

    [Fact]
    public void Account_show_names_the_weakness_of_a_credential()
    {
        fixture.AddStoredHash("lisa", Ssha);
        fixture.AddCredential("lisa");
        Assert.Equal(["one fast digest", null], fixture.Queries.Account("lisa")!.Credentials.Select(static c => c.Weakness));
    }

    [Fact]
    public void A_user_who_lacks_the_form_takes_scram_off_the_offer_until_it_has_one()
    {
        var store = fixture.Store();
        var verifiers = new AccountVerifiers([store], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock);
        Assert.Contains("SCRAM-SHA-256", verifiers.UsualMechanisms);
        fixture.AddAccount("bart");
        fixture.Commands.Accounts.Add(new AddAccount("rights-only", [], []));
        Assert.Contains("SCRAM-SHA-256", verifiers.UsualMechanisms);

        fixture.AddStoredHash("lisa", Sha512Crypt);
        Assert.DoesNotContain("SCRAM-SHA-256", verifiers.UsualMechanisms);
        Assert.Contains("PLAIN", verifiers.UsualMechanisms);
        Assert.Equal(StoredForms.Password, AccountStores.All.Single(static k => k.Word == "directory").CommonForms(new AccountSource("directory", "x") { Database = fixture.File }));

        fixture.Commands.Accounts.Disable("lisa");
        Assert.Contains("SCRAM-SHA-256", verifiers.UsualMechanisms);
        fixture.Commands.Accounts.Enable("lisa");
        Assert.DoesNotContain("SCRAM-SHA-256", verifiers.UsualMechanisms);
        fixture.AddCredential("lisa");
        Assert.Contains("SCRAM-SHA-256", verifiers.UsualMechanisms);
    }

    [Fact]
    public void A_file_that_changes_changes_the_offer()
    {
        var passwd = fixture.Beside("passwd");
        File.WriteAllText(passwd, "maggie:tiger-lily\n");
        var store = fixture.Store($"file://{passwd}");
        Assert.True(store.CommonForms.HasFlag(StoredForms.ScramSha256));
        File.WriteAllText(passwd, $"maggie:tiger-lily\nlisa:{Apr}\n");
        fixture.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(StoredForms.Password, store.CommonForms);
    }

    [Fact]
    public async Task A_cram_md5_secret_of_another_server_answers_cram_md5()
    {
        fixture.AddStoredHash("lisa", Cram);
        var verifiers = new AccountVerifiers([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock);
        foreach (var (password, isRight) in new[] { (Password, true), (Password + "x", false) })
        {
            var exchange = CramMd5Mechanism.Instance.TryStart(verifiers.Context with { Hostname = "mail.example.org" })!;
            var challenge = Assert.IsType<SaslStep.Challenge>(await exchange.NextAsync(response: null, Ct)).Data;
#pragma warning disable CA5351 // it is what RFC 2195 says
            var proof = Convert.ToHexStringLower(System.Security.Cryptography.HMACMD5.HashData(Encoding.UTF8.GetBytes(password), challenge.Span));
#pragma warning restore CA5351
            var end = await exchange.NextAsync(Encoding.UTF8.GetBytes($"lisa {proof}"), Ct);
            Assert.Equal(isRight, end is SaslStep.Success);
        }

        Assert.IsType<LoginAnswer.Match>(await verifiers.Passwords.CheckAsync("lisa", Encoding.UTF8.GetBytes(Password), peer: null, Ct));
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.DigestSecrets.FindDigestAsync("lisa", "mail.example.org", peer: null, Ct));
    }

    private static List<string> Warnings(AccountSource source) => [.. AccountStores.Of(source)!.Warn(source).Where(static w => !w.Contains("chmod", StringComparison.Ordinal))];
}
