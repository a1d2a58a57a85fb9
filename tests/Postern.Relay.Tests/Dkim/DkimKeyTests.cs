using System.Security.Cryptography;
using Postern.Relay.Dkim;

namespace Postern.Relay.Tests.Dkim;

/// <summary>Private keys as files have them, and what DNS shows of them.</summary>
public sealed class DkimKeyTests
{
    [Theory]
    [InlineData(DkimAlgorithm.Rsa, 2048)]
    [InlineData(DkimAlgorithm.Ed25519, 256)]
    public void A_key_comes_back_from_PKCS8_and_signs_the_same(DkimAlgorithm algorithm, int bits)
    {
        var key = DkimKey.Generate(algorithm);
        var hash = SHA256.HashData("x"u8);

        foreach (var again in new[] { DkimKey.FromPkcs8(key.ToPkcs8()), DkimKey.FromText($"some text\n{PemEncoding.WriteString("PRIVATE KEY", key.ToPkcs8())}\n") })
        {
            Assert.Equal((algorithm, bits, Convert.ToBase64String(key.Sign(hash))), (again.Algorithm, again.Bits, Convert.ToBase64String(again.Sign(hash))));
            Assert.Equal(key.PublicKey.AsSpan(), again.PublicKey.AsSpan());
        }
    }

    [Fact]
    public void A_key_as_openssl_and_opendkim_write_it_is_read()
    {
        using var rsa = RSA.Create(1024);
        var key = DkimKey.FromText(rsa.ExportRSAPrivateKeyPem());
        Assert.Equal((DkimAlgorithm.Rsa, 1024), (key.Algorithm, key.Bits));
        Assert.Equal(rsa.ExportSubjectPublicKeyInfo(), key.PublicKey.AsSpan());
    }

    [Fact]
    public void What_is_no_key_for_mail_says_why()
    {
        using var small = RSA.Create(768);
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Equal(
            [
                "it holds no private key in PEM",
                "an RSA key of 768 bits: verifiers take those from 1024 to 4096",
                "the key is neither of RSA nor of Ed25519",
                "the key is encrypted; write it without its password first: openssl pkey -in FILE",
                "it holds no private key that can be read",
            ],
            new[]
            {
                "nonsense",
                small.ExportPkcs8PrivateKeyPem(),
                curve.ExportPkcs8PrivateKeyPem(),
                small.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1)),
                PemEncoding.WriteString("PRIVATE KEY", [1, 2, 3]),
            }.Select(static text => Assert.ThrowsAny<CryptographicException>(() => DkimKey.FromText(text)).Message));
    }

    [Fact]
    public void A_record_is_split_into_strings_of_255_and_pastes_into_a_zone_file()
    {
        var key = DkimKey.Generate(DkimAlgorithm.Rsa);
        var text = DkimRecord.TextOf(key.Algorithm, key.PublicKey.AsSpan());
        var strings = DkimRecord.Split(text);

        Assert.Equal((2, 255, text), (strings.Length, strings[0].Length, string.Concat(strings)));
        Assert.Equal($"s._domainkey.example.org. IN TXT (\n    \"{strings[0]}\"\n    \"{strings[1]}\"\n)", DkimRecord.ZoneLine("s._domainkey.example.org", text));
        Assert.Equal("s._domainkey.example.org. IN TXT \"short\"", DkimRecord.ZoneLine("s._domainkey.example.org", "short"));
    }

    [Fact]
    public void What_DNS_has_is_compared_with_the_key_as_verifiers_read_it()
    {
        var (key, other) = (DkimKey.Generate(DkimAlgorithm.Rsa), DkimKey.Generate(DkimAlgorithm.Ed25519));
        var p = Convert.ToBase64String(key.PublicKey.AsSpan());
        using var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(key.PublicKey.AsSpan(), out _);

        Assert.Equal("shown", Judge($"v=DKIM1; k=rsa; p={p}"));
        Assert.Equal("shown", Judge($"p={p[..50]} {p[50..]}; h=sha1:sha256 ; s=email;"));
        Assert.Equal("shown", Judge($"v=DKIM1;p={Convert.ToBase64String(rsa.ExportRSAPublicKey())}"));
        Assert.StartsWith("shown, with t=y", Judge($"v=DKIM1; t=s:y; p={p}"), StringComparison.Ordinal);
        Assert.StartsWith("there is no TXT record", Judge(), StringComparison.Ordinal);
        Assert.StartsWith("2 TXT records", Judge($"p={p}", $"p={p}"), StringComparison.Ordinal);
        Assert.StartsWith("what stands there is no key record: hello", Judge("hello"), StringComparison.Ordinal);
        Assert.StartsWith("it has v=DKIM2", Judge($"v=DKIM2; p={p}"), StringComparison.Ordinal);
        Assert.StartsWith("it has no p=", Judge("v=DKIM1"), StringComparison.Ordinal);
        Assert.StartsWith("its p= is empty", Judge("v=DKIM1; p="), StringComparison.Ordinal);
        Assert.StartsWith("it has k=ed25519", Judge($"k=ed25519; p={Convert.ToBase64String(other.PublicKey.AsSpan())}"), StringComparison.Ordinal);
        Assert.StartsWith("it has h=sha1,", Judge($"h=sha1; p={p}"), StringComparison.Ordinal);
        Assert.StartsWith("it has s=tlsrpt", Judge($"s=tlsrpt; p={p}"), StringComparison.Ordinal);
        Assert.StartsWith("its p= is another key", Judge($"v=DKIM1; p={p[..255]}"), StringComparison.Ordinal);

        string Judge(params string[] texts) => DkimRecord.Judge(texts, key.Algorithm, key.PublicKey.AsSpan()).Words;
    }
}
