using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Postern.Relay.Dkim;
using Postern.Testing;

namespace Postern.Relay.Tests.Dkim;

/// <summary>The examples of RFC 6376 and RFC 8463.</summary>
public sealed class DkimVectorTests
{
    /// <summary>With one space where RFC 6376 was printed with two: so it has the hash that stands there.</summary>
    private const string Body = "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n";
    private const string From = "From: Joe SixPack <joe@football.example.com>\r\n";
    private const string To = "To: Suzie Q <suzie@shopping.example.net>\r\n";
    private const string Subject = "Subject: Is dinner ready?\r\n";
    private const string Date = "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n";
    private const string MessageId = "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n";

    [Fact]
    public void The_fields_of_section_3_4_5_are_canonical_as_it_says()
    {
        Assert.Equal(("a:X", "b:Y Z"), (Field("A:  X\r\n"), Field("B :  Y\t\r\n\tZ  \r\n")));
        Assert.Equal("B :  Y\t\r\n\tZ  ", Field("B :  Y\t\r\n\tZ  \r\n", DkimCanonicalization.Simple));
    }

    [Fact]
    public void The_body_of_section_3_4_5_is_canonical_as_it_says()
    {
        const string Text = " C \r\nD \t E\r\n\r\n\r\n";
        Assert.Equal(Convert.ToBase64String(SHA256.HashData(" C\r\nD E\r\n"u8)), Hash(Text));
        Assert.Equal(Convert.ToBase64String(SHA256.HashData(" C \r\nD \t E\r\n"u8)), Hash(Text, DkimCanonicalization.Simple));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\r\n")]
    [InlineData("\r\n\r\n\r\n")]
    public void An_empty_body_has_the_hash_of_section_3_4(string body)
    {
        Assert.Equal("frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=", Hash(body, DkimCanonicalization.Simple));
        Assert.Equal("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", Hash(body));
    }

    [Fact]
    public void The_body_of_the_example_has_the_hash_of_both_RFCs() =>
        Assert.Equal("2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=", Hash(Body));

    [Fact]
    public void The_Ed25519_signature_of_RFC_8463_appendix_A_comes_out()
    {
        var key = DkimKey.FromText("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
        Assert.Equal("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", Convert.ToBase64String(key.PublicKey.AsSpan()));

        const string Signature = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : date;\r\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=";
        var hash = HeaderHash(DkimCanonicalization.Relaxed, From, To, Subject, Date, MessageId, Signature);

        Assert.Equal("/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==", Convert.ToBase64String(key.Sign(hash)));
    }

    [Fact]
    public void The_signature_of_RFC_6376_appendix_A_verifies_over_what_is_signed_here()
    {
        const string Received = "Received: from client1.football.example.com  [192.0.2.1]\r\n      by submitserver.example.com with SUBMISSION;\r\n      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r\n";
        const string Signature = "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r\n      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r\n      h=Received : From : To : Subject : Date : Message-ID;\r\n      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n      b=;";
        const string Value = "AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHutKVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV4bmp/YzhwvcubU4=";
        using var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(PublishedKeys.Decode("MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"), out _);

        var hash = HeaderHash(DkimCanonicalization.Simple, Received, From, To, Subject, Date, MessageId, Signature);

        Assert.Equal("2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=", Hash(Body, DkimCanonicalization.Simple));
        Assert.True(rsa.VerifyHash(hash, PublishedKeys.Decode(Value), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    [Fact]
    public void Wherever_a_body_is_cut_the_hash_is_the_same()
    {
        var random = new Random(6376);
        string[] pieces = ["\r\n", "\r", "\n", " ", "\t", ".", "word", " \r\n", "\r\n\r\n", "\u00ff", new string('x', 20_000)];
        for (var i = 0; i < 300; i++)
        {
            var body = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Range(0, random.Next(1, 40)).Select(_ => pieces[random.Next(pieces.Length)])));
            foreach (var how in new[] { DkimCanonicalization.Relaxed, DkimCanonicalization.Simple })
            {
                foreach (var isBinary in new[] { false, true })
                {
                    var whole = Hash([body], how, isBinary);
                    Assert.Equal(whole, Hash(body.Chunk(random.Next(1, 5)), how, isBinary));
                    if (!isBinary)
                        Assert.Equal(whole, Hash([Encoding.Latin1.GetBytes(SentByData.Of(Encoding.Latin1.GetString(body)))], how, isBinary: true));
                }
            }
        }
    }

    private static string Field(string field, DkimCanonicalization how = DkimCanonicalization.Relaxed)
    {
        var to = new ArrayBufferWriter<byte>();
        CanonicalField.Write(to, Encoding.Latin1.GetBytes(field), how);
        return Encoding.Latin1.GetString(to.WrittenSpan);
    }

    private static byte[] HeaderHash(DkimCanonicalization how, params string[] fields) =>
        SHA256.HashData(Encoding.ASCII.GetBytes(string.Join("\r\n", fields.Select(field => Field(field, how)))));

    private static string Hash(string body, DkimCanonicalization how = DkimCanonicalization.Relaxed) => Hash([Encoding.Latin1.GetBytes(body)], how, isBinary: false);

    private static string Hash(IEnumerable<byte[]> pieces, DkimCanonicalization how, bool isBinary)
    {
        using var hash = new BodyHash(how, isBinary);
        foreach (var piece in pieces)
            hash.Append(piece);
        Span<byte> sha256 = stackalloc byte[32];
        hash.Finish(sha256);
        return Convert.ToBase64String(sha256);
    }
}
