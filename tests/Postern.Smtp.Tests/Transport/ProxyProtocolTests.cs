using System.Net;
using System.Numerics;
using System.Text;
using Postern.Smtp.Transport.Proxy;

namespace Postern.Smtp.Tests.Transport;

/// <summary>PROXY headers, whole, cut at every octet, wrong, and random.</summary>
public sealed class ProxyProtocolTests
{
    private static readonly byte[] Signature = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    private static readonly byte[] V4 = [192, 0, 2, 7, 198, 51, 100, 1, 0x30, 0x39, 0, 25];

    public static TheoryData<string> Headers() =>
    [
        Hex("PROXY TCP4 192.0.2.7 198.51.100.1 12345 25\r\n"u8),
        Hex("PROXY TCP6 2001:db8::7 2001:db8::1 12345 25\r\n"u8),
        Hex("PROXY UNKNOWN\r\n"u8),
        Hex("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"u8),
        Hex(Version2(0x21, 0x11, V4)),
        Hex(Version2(0x21, 0x21, new byte[36])),
        Hex(Version2(0x21, 0x31, new byte[216])),
        Hex(Version2(0x20, 0, [])),
        Hex(Version2(0x21, 0x11, [.. V4, 5, 0, 3, (byte)'a', (byte)'b', (byte)'c', 4, 0, 2, 0, 0])),
    ];

    [Theory]
    [MemberData(nameof(Headers))]
    public void A_header_cut_at_any_octet_asks_only_for_what_is_its_own(string hex)
    {
        var header = Convert.FromHexString(hex);
        for (var cut = 0; cut < header.Length; cut++)
        {
            var step = ProxyProtocol.Read(header.AsSpan(0, cut));
            Assert.Null(step.Problem);
            Assert.Null(step.Header);
            Assert.InRange(step.Need, 1, header.Length - cut);
        }

        Assert.NotNull(ProxyProtocol.Read(header).Header);
    }

    [Theory]
    [InlineData("192.0.2.7:12345", "198.51.100.1:25", "192.0.2.7:12345")]
    [InlineData("[2001:db8::7]:12345", "[2001:db8::1]:25", "[2001:db8::7]:12345")]
    [InlineData("192.0.2.7:12345", "[2001:db8::1]:25", "[::ffff:192.0.2.7]:12345")]
    [InlineData("[::ffff:192.0.2.7]:0", "198.51.100.1:25", "192.0.2.7:0")]
    public void What_is_written_is_read_again(string client, string server, string read)
    {
        var header = ProxyHeader.Of(IPEndPoint.Parse(client), IPEndPoint.Parse(server));

        Assert.Equal(header, ProxyProtocol.Read(ProxyVersion1.Write(header)).Header);
        Assert.Equal(header, ProxyProtocol.Read(ProxyVersion2.Write(header)).Header);
        Assert.Equal(IPEndPoint.Parse(read), header.Source);
    }

    [Fact]
    public void A_connection_of_ones_own_is_written_and_read_again()
    {
        Assert.Equal(ProxyHeader.Itself, ProxyProtocol.Read(ProxyVersion1.Write(ProxyHeader.Itself)).Header);
        Assert.Equal(ProxyHeader.Itself, ProxyProtocol.Read(ProxyVersion2.Write(ProxyHeader.Itself)).Header);
    }

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 12345 25\r\n", "192.0.2.7:12345")]
    [InlineData("PROXY TCP6 2001:db8::7 2001:db8::1 12345 25\r\n", "[2001:db8::7]:12345")]
    public void Version_1_names_the_client(string line, string client) =>
        Assert.Equal(IPEndPoint.Parse(client), ProxyProtocol.Read(Encoding.ASCII.GetBytes(line)).Header!.Source);

    [Fact]
    public void Version_2_names_the_client_and_what_the_balancer_knows()
    {
        byte[] tls = [0x07, 0, 0, 0, 0, 0x21, 0, 7, .. "TLSv1.3"u8, 0x22, 0, 1, (byte)'c', 0x23, 0, 1, (byte)'x', 0x25, 0, 1, (byte)'k'];
        var header = ProxyProtocol.Read(Version2(0x21, 0x11, [.. V4, 0x20, 0, (byte)tls.Length, .. tls, 2, 0, 1, (byte)'h', 0xEE, 0, 1, 9])).Header!;

        Assert.Equal(IPEndPoint.Parse("192.0.2.7:12345"), header.Source);
        Assert.Equal(IPEndPoint.Parse("198.51.100.1:25"), header.Destination);
        Assert.Equal("h", header.Claims.Authority);
        Assert.Equal(new(HasCertificate: true, IsVerified: true, "TLSv1.3", "x", "c"), header.Claims.Tls);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void A_checksum_is_verified_where_it_is_there(uint wrong, bool isTaken)
    {
        var header = Version2(0x21, 0x11, [.. V4, 3, 0, 4, 0, 0, 0, 0]);
        var crc = ~header.Aggregate(uint.MaxValue, BitOperations.Crc32C) ^ wrong;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(header.Length - 4), crc);
        Assert.Equal(isTaken, ProxyProtocol.Read(header).Header is not null);
    }

    [Fact]
    public void The_checksum_is_the_one_of_castagnoli() =>
        Assert.Equal(0xE3069283, ~"123456789"u8.ToArray().Aggregate(uint.MaxValue, BitOperations.Crc32C));

    [Theory]
    [InlineData("EHLO client.example\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 12345\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 12345 65536\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 012 25\r\n")]
    [InlineData("PROXY TCP4 192.0.2.07 198.51.100.1 12 25\r\n")]
    [InlineData("PROXY TCP4 2001:db8::7 2001:db8::1 12 25\r\n")]
    [InlineData("PROXY TCP6 192.0.2.7 198.51.100.1 12 25\r\n")]
    [InlineData("PROXY  TCP4 192.0.2.7 198.51.100.1 12 25\r\n")]
    [InlineData("PROXY UDP4 192.0.2.7 198.51.100.1 12 25\r\n")]
    [InlineData("PROXY UNKNOWN\n\n\n")]
    [InlineData("PROXY UNKNOWN \r \n")]
    [InlineData("proxy UNKNOWN\r\n")]
    public void What_is_not_a_header_is_refused(string text) =>
        Assert.NotNull(ProxyProtocol.Read(Encoding.ASCII.GetBytes(text)).Problem);

    [Fact]
    public void Row_78_a_line_without_end_is_refused_at_107_octets()
    {
        Assert.Null(ProxyProtocol.Read([.. "PROXY UNKNOWN "u8, .. new byte[91]]).Problem);
        Assert.NotNull(ProxyProtocol.Read([.. "PROXY UNKNOWN "u8, .. new byte[92]]).Problem);
    }

    [Fact]
    public void Row_78_a_length_of_65535_is_refused_before_anything_is_read() =>
        Assert.NotNull(ProxyProtocol.Read([.. Signature, 0x21, 0x11, 0xFF, 0xFF]).Problem);

    [Fact]
    public void Random_headers_never_throw_and_never_ask_for_more_than_there_can_be()
    {
        var random = new Random(78);
        for (var round = 0; round < 10_000; round++)
        {
            var octets = new byte[random.Next(0, 300)];
            random.NextBytes(octets);
            ReadOnlySpan<byte> start = (round % 3) switch { 0 => Signature, 1 => "PROXY TCP4 "u8, _ => [] };
            start[..Math.Min(start.Length, octets.Length)].CopyTo(octets);
            if (round % 3 == 0 && octets.Length > 16)
                (octets[12], octets[13], octets[14], octets[15]) = (0x21, 0x11, 0, (byte)(octets.Length - 16));
            var step = ProxyProtocol.Read(octets);
            Assert.True(step.Header is not null || step.Problem is not null || step.Need is > 0 and <= ProxyProtocol.MaxOctets);
        }
    }

    private static byte[] Version2(byte command, byte family, byte[] body) => [.. Signature, command, family, (byte)(body.Length >> 8), (byte)body.Length, .. body];

    private static string Hex(ReadOnlySpan<byte> octets) => Convert.ToHexString(octets);
}
