using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Verifiers;
using static Postern.Sasl.Tests.Exchanges;

namespace Postern.Sasl.Tests.Mechanisms;

public sealed class ScramSecretTests
{
    private static readonly byte[] Salt = [1, 2, 3];

    public static TheoryData<string, int> Algorithms() => new() { { "SHA1", 20 }, { "SHA256", 32 }, { "SHA512", 64 } };

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void A_secret_knows_its_password_and_no_other(string hash, int size)
    {
        var secret = ScramSecret.Derive(new HashAlgorithmName(hash), "na\u00efve \u2168", Salt, 3);
        Assert.Equal((hash, 3, size, size), (secret.Algorithm.Name, secret.Iterations, secret.StoredKey.Length, secret.ServerKey.Length));
        Assert.Equal(Salt, secret.Salt.ToArray());
        Assert.True(secret.Matches(Encoding.UTF8.GetBytes("na\u00efve \u2168")));
        Assert.True(secret.Matches(Encoding.UTF8.GetBytes("nai\u0308ve\u00a0I\u00adX")));
        Assert.False(secret.Matches("naive IX"u8));
        Assert.False(secret.Matches([]));
        Assert.False(secret.Matches([0xff]));
    }

    /// <summary>HMAC pads a short key with NULs, so that these are one key to it.</summary>
    [Fact]
    public void A_password_with_a_nul_behind_it_is_another()
    {
        var secret = ScramSecret.Derive(HashAlgorithmName.SHA256, "pencil", Salt, 3);
        Assert.True(secret.Matches("pencil"u8));
        Assert.False(secret.Matches("pencil\0"u8));
        Assert.False(secret.Matches("pencil\u0007"u8));
        Assert.False(secret.Matches("pencil\u007f"u8));
    }

    [Fact]
    public void Nothing_is_the_password_of_a_secret_of_nothing()
    {
        var empty = Rfc2898DeriveBytes.Pbkdf2(string.Empty, Salt, 1, HashAlgorithmName.SHA256, 32);
        var clientKey = HMACSHA256.HashData(empty, "Client Key"u8);
        Assert.False(new ScramSecret(HashAlgorithmName.SHA256, 1, Salt, SHA256.HashData(clientKey), default).Matches([]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\u00ad")]
    [InlineData("a\u0007")]
    [InlineData("a\u200e")]
    public void What_is_no_password_is_not_stored(string password) =>
        Assert.Equal("password", Assert.Throws<ArgumentException>(() => ScramSecret.Derive(HashAlgorithmName.SHA256, password, Salt, 1)).ParamName);

    [Fact]
    public void Another_hash_is_an_error_of_the_program() =>
        Assert.Contains("MD5", Assert.Throws<ArgumentException>(() => ScramSecret.Derive(HashAlgorithmName.MD5, "pencil", Salt, 1)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_secret_never_prints()
    {
        Assert.Equal("***", ScramSecret.Derive(HashAlgorithmName.SHA256, "pencil", Salt, 1).ToString());
        Assert.Equal("lisa", new LoginAnswer.Found<SharedSecret>("lisa", new("pencil"u8.ToArray())).ToString());
        Assert.DoesNotContain("pencil", new Secret("pencil").ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_decoy_is_the_same_for_a_name_and_another_for_each_name_hash_and_key()
    {
        var decoys = new Decoys(new byte[16], iterations: 5000);
        var secret = decoys.ScramSecret("nobody", HashAlgorithmName.SHA256);
        var again = decoys.ScramSecret("nobody", HashAlgorithmName.SHA256, 7);
        Assert.Equal((5000, 7, 16, 32, 32), (secret.Iterations, again.Iterations, secret.Salt.Length, secret.StoredKey.Length, secret.ServerKey.Length));
        Assert.Equal(secret.Salt.ToArray(), again.Salt.ToArray());
        Assert.Equal(secret.ServerKey.ToArray(), again.ServerKey.ToArray());
        Assert.NotEqual(secret.StoredKey.ToArray(), secret.ServerKey.ToArray());
        foreach (var other in new[]
        {
            decoys.ScramSecret("nobodx", HashAlgorithmName.SHA256), decoys.ScramSecret("nobody", HashAlgorithmName.SHA1), decoys.ScramSecret("nobody", HashAlgorithmName.SHA512),
            new Decoys([.. new byte[15], 1]).ScramSecret("nobody", HashAlgorithmName.SHA256),
        })
        {
            Assert.NotEqual(secret.Salt.ToArray(), other.Salt.ToArray());
            Assert.NotEqual(secret.StoredKey.ToArray(), other.StoredKey.ToArray());
            Assert.NotEqual(secret.ServerKey.ToArray(), other.ServerKey.ToArray());
        }

        Assert.Equal(16, decoys.DigestSecret("nobody", "a").Length);
        Assert.NotEqual(decoys.DigestSecret("nobody", "a").ToArray(), decoys.DigestSecret("nobody", "b").ToArray());
        Assert.NotEqual(decoys.DigestSecret("b", "a").ToArray(), decoys.DigestSecret("a b", "").ToArray());
    }

    [Fact]
    public void Decoys_want_a_key_that_cannot_be_guessed()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Decoys(new byte[15]));
        Assert.Equal(4096, Decoys.ForProcess.Iterations);
    }

    /// <summary>A store that takes <c>Lisa</c> for <c>lisa</c> shows both one salt; then it has to for names that nobody has.</summary>
    [Fact]
    public async Task All_spellings_of_a_name_that_nobody_has_see_one_salt_and_the_count_of_their_like()
    {
        var context = new SaslContext { ScramSecrets = new Nobody(), Decoys = new Decoys(new byte[16], 6000) };
        var first = await ServerOf("SCRAM-SHA-256", context).AskAsync("n,,n=nobody,r=abc");
        var second = await ServerOf("SCRAM-SHA-256", context).AskAsync("n,,n=Nobody,r=abc");
        Assert.EndsWith(",i=10000", first, StringComparison.Ordinal);
        Assert.Equal(first.Split(',')[1], second.Split(',')[1]);
        Assert.Equal(16, Base64(first.Split(',')[1][2..]).Length);
    }

    private sealed class Nobody : IScramSecrets
    {
        public ValueTask<LoginAnswer> FindAsync(string user, HashAlgorithmName algorithm, string? peer, CancellationToken ct) =>
            new(new LoginAnswer.NoMatch("unknown user") { Iterations = 10_000, User = user.ToLowerInvariant() });

        public bool Serves(HashAlgorithmName algorithm) => true;
    }
}
