using System.Security.Cryptography;
using System.Text;
using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Tests;

public sealed class DigestSecretTests
{
    /// <summary>RFC 2831 §2.1.2.1: what ISO 8859-1 can write is hashed in it, anything else in UTF-8.</summary>
    [Theory]
    [InlineData("chris", "elwood.innosoft.com", "secret", "latin1")]
    [InlineData("J\u00fcrgen", "mail.example.org", "pa\u00dfwort", "latin1")]
    [InlineData("lisa", "mail.example.org", "\u0448\u0430\u0445", "utf-8")]
    public void It_is_the_hash_of_user_realm_and_password(string user, string realm, string password, string charset)
    {
        byte[] text = [.. Encoding.Latin1.GetBytes($"{user}:{realm}:"), .. Encoding.GetEncoding(charset).GetBytes(password)];
        Assert.Equal(MD5.HashData(text), DigestSecret.Derive(user, realm, password));
        Assert.Equal(DigestSecret.Size, DigestSecret.Derive(user, realm, password).Length);
    }

    [Fact]
    public void The_password_is_prepared_as_it_will_be_when_it_is_typed() =>
        Assert.Equal(DigestSecret.Derive("lisa", "r", "IX"), DigestSecret.Derive("lisa", "r", "\u2168"));

    [Theory]
    [InlineData("")]
    [InlineData("\u00ad")]
    [InlineData("bell\u0007")]
    [InlineData("\ue000")]
    public void A_password_that_nobody_could_type_is_refused(string password) =>
        Assert.Throws<ArgumentException>(nameof(password), () => DigestSecret.Derive("lisa", "r", password));

    [Fact]
    public void Neither_kind_of_secret_prints_itself()
    {
        Assert.Equal("***", new Password("tiger"u8.ToArray()).ToString());
        Assert.Equal("***", new Secret("tiger").ToString());
        Assert.Equal("***", ScramSecret.Derive(HashAlgorithmName.SHA256, "tiger", [1, 2, 3], 1).ToString());
    }
}
