using System.Reflection;
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

    /// <summary>What compiles and is always false lets nobody in, and nobody knows why.</summary>
    [Fact]
    public void No_kind_of_secret_can_be_compared_with_a_text_by_mistake()
    {
        var kinds = typeof(Secret).Assembly.GetExportedTypes()
            .Where(static type => type is { IsClass: true, IsAbstract: false }
                && (type.Name == "Password" || type.Name.EndsWith("Secret", StringComparison.Ordinal)))
            .ToList();

        Assert.Equal(["Password", "ScramSecret", "Secret", "SharedSecret"], kinds.Select(static kind => kind.Name).Order(StringComparer.Ordinal));
        foreach (var kind in kinds)
        {
            var equals = kind.GetMethod(nameof(Equals), [typeof(string)])!;
            Assert.True(equals.GetParameters()[0].ParameterType == typeof(string), kind.Name);
            Assert.True(equals.GetCustomAttribute<ObsoleteAttribute>() is { IsError: true }, kind.Name);
            Assert.DoesNotContain(kind.GetMethods(), static method => method.Name == "op_Equality" && method.GetParameters().Any(static p => p.ParameterType == typeof(string)));
        }
    }

    [Fact]
    public void Secrets_of_the_same_text_are_equal_however_they_are_compared()
    {
        var (one, same, other) = (new Secret("tiger"), new Secret("tiger"), new Secret("lion"));
        Secret? none = null;

        Assert.True(one == same && one.Equals(same) && one != other && none != one && none == null);
        Assert.True(one.Matches("tiger") && !one.Matches("lion"));
    }

    [Fact]
    public void Neither_kind_of_secret_prints_itself()
    {
        Assert.Equal("***", new Password("tiger"u8.ToArray()).ToString());
        Assert.Equal("***", new Secret("tiger").ToString());
        Assert.Equal("***", ScramSecret.Derive(HashAlgorithmName.SHA256, "tiger", [1, 2, 3], 1).ToString());
    }
}
