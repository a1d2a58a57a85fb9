using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl;

namespace Postern.Relay.Tests.Accounts;

public sealed class PasswordHashTests
{
    /// <summary>user/pencil of RFC 7677 §3, written as RFC 5803 says.</summary>
    private const string Rfc7677 =
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

    [Theory]
    [InlineData(Rfc7677, "pencil", "SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=", "pencil", "SCRAM-SHA-1")]
    [InlineData("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!", "$6$")]
    [InlineData("$5$saltstring$wuJ45iOx5v450rU6JtvcL8/irPJiQfTgbn.aeqNlOqB", "pencil", "$5$")]
    [InlineData("$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", "$2b$")]
    [InlineData("$y$j9T$F5Jx5fExrKuPp53xLKQ..1$rPeawue/nS.5CE6nTU9GpACAbn46u5ZGm.W6wf1Q.RD", "pencil", "$y$")]
    [InlineData("$1$saltsalt$wCrc3hcrR95SV83Xh8Z.41", "pencil", "$1$")]
    public void A_hash_knows_its_password_and_no_other(string stored, string password, string scheme)
    {
        var hash = PasswordHash.Parse(stored);

        Assert.Equal(scheme, hash.Scheme);
        Assert.IsType<HashAnswer.Match>(hash.Verify(Encoding.UTF8.GetBytes(password)));
        Assert.IsType<HashAnswer.NoMatch>(hash.Verify(Encoding.UTF8.GetBytes(password + " ")));
        Assert.IsType<HashAnswer.NoMatch>(hash.Verify(Encoding.UTF8.GetBytes(password + "\0")));
        Assert.IsType<HashAnswer.NoMatch>(hash.Verify([]));
    }

    [Fact]
    public void A_made_verifier_is_the_one_of_the_rfc()
    {
        var hash = ScramHash.Create(new Secret("pencil"), 4096, Convert.FromHexString("5b6d99689d12358eeca04b141236fa81"));
        Assert.Equal(Rfc7677, hash.Stored);
    }

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("!")]
    [InlineData("pencil")]
    [InlineData("$9$unknown$scheme")]
    [InlineData("$6$salt with space$x")]
    [InlineData("$6$salt$x")]
    [InlineData("$5$saltstring$wuJ45iOx5v450rU6JtvcL8/irPJiQfTgbn.aeqNlOq")]
    [InlineData("$1$saltsalt$wCrc3hcrR95SV83Xh8Z.41a")]
    [InlineData("$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe")]
    [InlineData("$2b$5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWW")]
    [InlineData("$y$j9T$F5Jx5fExrKuPp53xLKQ..1")]
    [InlineData("$y$j9T$F5Jx5fExrKuPp53xLKQ..1$rPeawue/nS.5CE6nTU9GpACAbn46u5ZGm.W6wf1Q.R-")]
    [InlineData("$6$rounds=999999999$saltstring$x")]
    [InlineData("$6$rounds=x$saltstring$x")]
    [InlineData("$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")]
    [InlineData("$2b$")]
    [InlineData("SCRAM-SHA-256$0:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")]
    [InlineData("SCRAM-SHA-256$2147483648:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")]
    [InlineData("SCRAM-SHA-256$4096:$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")]
    [InlineData("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d:wfPL")]
    [InlineData("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=")]
    [InlineData("{SSHA}AAAA")]
    public void A_stored_text_that_is_no_hash_we_can_compute_is_neither_right_nor_wrong(string stored)
    {
        var hash = PasswordHash.Parse(stored);
        Assert.IsType<HashAnswer.Unusable>(hash.Verify("pencil"u8));
        Assert.Equal("unknown", hash.Scheme);
    }

    [Theory]
    [InlineData("$6$")]
    [InlineData("$y$j9T$")]
    [InlineData("$y$zzzz$zzzz$zzzz")]
    [InlineData("$2b$05$short")]
    public void A_truncated_crypt_hash_never_matches_and_never_throws(string stored) =>
        Assert.IsNotType<HashAnswer.Match>(PasswordHash.Parse(stored).Verify("pencil"u8));

    [Fact]
    public void The_same_password_in_two_normal_forms_is_one_password()
    {
        var hash = ScramHash.Create(new Secret("na\u00efve pa\u00dfwort \u2168"), 4096, [1, 2, 3]);
        Assert.IsType<HashAnswer.Match>(hash.Verify(Encoding.UTF8.GetBytes("nai\u0308ve\u00a0pa\u00dfwort IX")));
        Assert.IsType<HashAnswer.Match>(hash.Verify(Encoding.UTF8.GetBytes("na\u00efve pa\u00df\u00adwort IX")));
        Assert.IsType<HashAnswer.NoMatch>(hash.Verify(Encoding.UTF8.GetBytes("naive pa\u00dfwort IX")));
        Assert.IsType<HashAnswer.NoMatch>(hash.Verify([0xff, 0xfe, 0x80]));
        Assert.IsType<HashAnswer.NoMatch>(hash.Verify("na\u00efve \uffff"u8));
    }

    /// <summary>A crypt hash is of octets, wherever it came from; a SCRAM verifier is of text that SASLprep allows.</summary>
    [Theory]
    [InlineData(new byte[] { (byte)'p', 0xe4, (byte)'s', (byte)'s', (byte)'w', 0xf6, (byte)'r', (byte)'t' }, "$6$saltstring$yeez9gkaunow7UqTythSrFDXkHh2/78py4o6HIt6cCegMVXxF/Smf1VvT212Ow8xiiVjKMxiOKIjoANNC/VEu/")]
    [InlineData(new byte[] { (byte)'a', 7, (byte)'b', (byte)'c', (byte)'d', (byte)'e', (byte)'f', (byte)'g', (byte)'h' }, "$6$saltstring$w2TXuBGHF8v/ufveG804aFvAIpYTGkinysOspPZvowueZKFkFkoi8kDIufO1sRzzxqjuBkuVZ/QusU2yfY1lP/")]
    public void What_is_no_text_may_match_a_crypt_hash_and_never_a_verifier(byte[] password, string crypt)
    {
        Assert.IsType<HashAnswer.Match>(PasswordHash.Parse(crypt).Verify(password));
        var salted = Rfc2898DeriveBytes.Pbkdf2(password, new byte[] { 1 }, 1, HashAlgorithmName.SHA256, 32);
        var stored = Convert.ToBase64String(SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8)));
        Assert.IsType<HashAnswer.NoMatch>(PasswordHash.Parse($"SCRAM-SHA-256$1:AQ==${stored}:{stored}").Verify(password));
    }

    [Fact]
    public void Generated_secrets_are_long_printable_and_different()
    {
        var secrets = Enumerable.Range(0, 100).Select(_ => Secret.Generate().Reveal()).ToList();
        Assert.Equal(100, secrets.Distinct().Count());
        Assert.All(secrets, s => Assert.Matches("^([0-9a-hjkmnp-tv-z]{4}-){6}[0-9a-hjkmnp-tv-z]{4}$", s));
    }

    [Theory]
    [InlineData("1234567", "at least 8")]
    [InlineData("\u00ad\u00ad1234567", "at least 8")]
    [InlineData("1234567\n", "control character")]
    [InlineData("12345678\0", "control character")]
    [InlineData("1234567\ue000", "does not show")]
    [InlineData("1234567\ufdd0", "does not show")]
    [InlineData("1234567\u200e", "does not show")]
    [InlineData("123456\U0001f984", "at least 8")]
    [InlineData("12345678\u0627", null)]
    [InlineData("1234567\U0001f984", null)]
    [InlineData("12345678", null)]
    [InlineData("p\u00e4ssw\u00f6rt", null)]
    public void A_typed_password_must_be_long_enough_and_printable(string password, string? problem)
    {
        var said = PasswordRules.Problem(new Secret(password));
        if (problem is null)
            Assert.Null(said);
        else
            Assert.Contains(problem, said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_typed_password_must_be_text() =>
        Assert.Contains("not valid text", PasswordRules.Problem(new Secret("12345678" + '\ud800')), StringComparison.Ordinal);

    [Fact]
    public void Two_hundred_and_fifty_five_characters_are_the_most()
    {
        Assert.Null(PasswordRules.Problem(new Secret(new string('x', 255))));
        Assert.NotNull(PasswordRules.Problem(new Secret(new string('x', 256))));
    }
}
