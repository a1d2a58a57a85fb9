using System.Collections.Concurrent;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl;
using Postern.Sasl.Mechanisms;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Tests.Accounts;

/// <summary>One password, several spellings: as another keyboard writes it, as it was typed on another server, prepared.</summary>
public sealed class SpellingsTests : IDisposable
{
    private const string Composed = "na\u00efve pa\u00dfwort";
    private const string Decomposed = "nai\u0308ve\u00a0pa\u00dfwort";

    private readonly DirectoryFixture fixture = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => fixture.Dispose();

    /// <summary>What another server made of the password that was typed there in composed form, and what postern makes of either.</summary>
    public static TheoryData<string> Stored()
    {
        Assert.IsType<HashAnswer.Match>(CryptHash.Create("$5$", Composed, out var crypt));
        var digest = DigestHash.Create("lisa", "mail.example.org", Composed)!.Stored;
        return new(crypt!.Stored, "{PLAIN}" + Composed, "{PLAIN}" + Decomposed, digest, ScramHash.Create(new Secret(Composed), 10, [1, 2, 3]).Stored);
    }

    [Theory]
    [MemberData(nameof(Stored))]
    public async Task Every_spelling_of_a_password_logs_in_against_every_stored_form(string stored)
    {
        fixture.AddStoredHash("lisa", stored);
        var verifiers = Open();
        foreach (var spelling in new[] { Composed, Decomposed, Composed.Normalize(NormalizationForm.FormD) })
            Assert.IsType<LoginAnswer.Match>(await verifiers.Passwords.CheckAsync("lisa", Encoding.UTF8.GetBytes(spelling), peer: null, Ct));
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Passwords.CheckAsync("lisa", "naive pa\u00dfwort"u8.ToArray(), peer: null, Ct));
        Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Passwords.CheckAsync("lisa", Encoding.Latin1.GetBytes(Composed), peer: null, Ct));
    }

    /// <summary>A server that prepares nothing made a SCRAM secret of what was typed.</summary>
    [Fact]
    public async Task A_secret_of_a_server_that_prepares_nothing_is_of_the_spelling_that_was_typed_there()
    {
        var salt = new byte[] { 1, 2, 3 };
        var salted = System.Security.Cryptography.Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(Decomposed), salt, 10, System.Security.Cryptography.HashAlgorithmName.SHA256, 32);
        var client = System.Security.Cryptography.HMACSHA256.HashData(salted, "Client Key"u8);
        var server = System.Security.Cryptography.HMACSHA256.HashData(salted, "Server Key"u8);
        fixture.AddStoredHash("lisa", $"{{SCRAM-SHA-256}}10,{Convert.ToBase64String(salt)},{Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(client))},{Convert.ToBase64String(server)}");
        Assert.IsType<LoginAnswer.Match>(await Open().Passwords.CheckAsync("lisa", Encoding.UTF8.GetBytes(Decomposed), peer: null, Ct));
    }

    [Fact]
    public async Task Cram_md5_and_digest_md5_take_the_spelling_as_stored_and_the_prepared_one()
    {
        fixture.AddStoredHash("lisa", "{PLAIN}" + Decomposed);
        var verifiers = Open();
        foreach (var (spelling, isRight) in new[] { (Decomposed, true), (Composed, true), ("naive pa\u00dfwort", false) })
        {
            var exchange = CramMd5Mechanism.Instance.TryStart(verifiers.Context with { Hostname = "mail.example.org" })!;
            var challenge = Assert.IsType<SaslStep.Challenge>(await exchange.NextAsync(response: null, Ct)).Data;
#pragma warning disable CA5351 // it is what RFC 2195 says
            var proof = Convert.ToHexStringLower(System.Security.Cryptography.HMACMD5.HashData(Encoding.UTF8.GetBytes(spelling), challenge.Span));
#pragma warning restore CA5351
            Assert.Equal((spelling, isRight), (spelling, await exchange.NextAsync(Encoding.UTF8.GetBytes($"lisa {proof}"), Ct) is SaslStep.Success));
        }

        var found = Assert.IsType<LoginAnswer.Found<SharedSecret>>(await verifiers.DigestSecrets.FindDigestAsync("lisa", "mail.example.org", peer: null, Ct)).Stored;
        var secrets = found.OtherSpellings.Prepend(found.Octets).Select(static s => Convert.ToHexString(s.Span)).ToList();
        Assert.Equal(Convert.ToHexString(DigestSecret.Derive("lisa", "mail.example.org", Composed)), secrets[0]);
        Assert.Contains(Convert.ToHexString(DigestSecret.DeriveExactly("lisa", "mail.example.org", Decomposed)), secrets);
    }

    [Theory]
    [InlineData("wrong-password")]
    [InlineData("wr\u00f6ng")]
    [InlineData("wro\u0308ng")]
    [InlineData("\u2168\u00a0x")]
    [InlineData("\u05d01")]
    public async Task A_stranger_costs_as_much_for_a_password_of_several_spellings(string password)
    {
        Assert.IsType<HashAnswer.Match>(CryptHash.Create("$5$", Composed, out var crypt));
        fixture.AddStoredHash("lisa", crypt!.Stored);
        fixture.AddStoredHash("bart", ScramHash.Create(new Secret(Composed), 10, [1, 2, 3]).Stored);
        fixture.AddStoredHash("homer", "{PLAIN}" + Composed);
        var spent = new ConcurrentQueue<HashCost>();
        fixture.Pool.Spent = spent.Enqueue;
        var verifiers = Open();
        var work = new List<string>();
        foreach (var user in new[] { "lisa", "bart", "homer", "nobody" })
        {
            spent.Clear();
            Assert.IsType<LoginAnswer.NoMatch>(await verifiers.Passwords.CheckAsync(user, Encoding.UTF8.GetBytes(password), peer: null, Ct));
            work.Add(string.Join(", ", spent.GroupBy(static c => c.Kind, static c => c.Units).OrderBy(static g => g.Key, StringComparer.Ordinal).Select(static g => $"{g.Key} {g.Sum()}")));
        }

        Assert.All(work, one => Assert.Equal(work[^1], one));
    }

    private AccountVerifiers Open() => new([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), fixture.Clock);
}
