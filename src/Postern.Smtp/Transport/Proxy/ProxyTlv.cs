using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Postern.Smtp.Session;

namespace Postern.Smtp.Transport.Proxy;

/// <summary>The TLVs of a PROXY protocol header of version 2: type, two octets of length, value. Unknown types are skipped.</summary>
internal static class ProxyTlv
{
    private const int HeadOctets = 3;
    private const int MaxUniqueIdOctets = 128;

    /// <summary>
    /// Reads the TLVs from <paramref name="start"/> to the end of <paramref name="header"/>; the reason why they are malformed, or null.
    /// </summary>
    public static string? Read(ReadOnlySpan<byte> header, int start, out ProxyClaims claims)
    {
        claims = ProxyClaims.None;
        for (var at = start; at < header.Length;)
        {
            if (!TryTake(header, at, out var type, out var value))
                return "PROXY TLV cut off";
            var valueAt = at + HeadOctets;
            at = valueAt + value.Length;
            switch (type)
            {
                case 0x01:
                    claims = claims with { Alpn = Text(value) };
                    break;
                case 0x02:
                    claims = claims with { Authority = Text(value) };
                    break;
                case 0x03 when value.Length != 4 || Crc32C(header, valueAt) != BinaryPrimitives.ReadUInt32BigEndian(value):
                    return "PROXY header with a wrong checksum";
                case 0x05 when value.Length > MaxUniqueIdOctets:
                    return "PROXY unique id too long";
                case 0x05:
                    claims = claims with { UniqueId = value.ContainsAnyExceptInRange((byte)' ', (byte)'~')
                        ? Convert.ToHexStringLower(value)
                        : Encoding.ASCII.GetString(value) };
                    break;
                case 0x20:
                    if (!TryReadTls(value, out var tls))
                        return "malformed TLS facts in the PROXY header";
                    claims = claims with { Tls = tls };
                    break;
                case 0x30:
                    claims = claims with { NetworkNamespace = Text(value) };
                    break;
            }
        }

        return null;
    }

    /// <summary>One octet of flags, four of the verification's result (0: verified), and TLVs of its own.</summary>
    private static bool TryReadTls(ReadOnlySpan<byte> octets, out ProxyTls? tls)
    {
        tls = null;
        if (octets.Length < 5)
            return false;
        string? version = null, cipher = null, name = null;
        for (var at = 5; at < octets.Length;)
        {
            if (!TryTake(octets, at, out var type, out var value))
                return false;
            at += HeadOctets + value.Length;
            switch (type)
            {
                case 0x21:
                    version = Text(value);
                    break;
                case 0x22:
                    name = Text(value);
                    break;
                case 0x23:
                    cipher = Text(value);
                    break;
            }
        }

        var hasCertificate = (octets[0] & 0x06) != 0;
        if ((octets[0] & 0x01) != 0)
            tls = new ProxyTls(
                hasCertificate, hasCertificate && BinaryPrimitives.ReadUInt32BigEndian(octets[1..]) == 0, version, cipher, name);
        return true;
    }

    private static bool TryTake(ReadOnlySpan<byte> octets, int at, out byte type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (octets.Length - at < HeadOctets)
            return false;
        type = octets[at];
        var length = BinaryPrimitives.ReadUInt16BigEndian(octets[(at + 1)..]);
        if (octets.Length - at - HeadOctets < length)
            return false;
        value = octets.Slice(at + HeadOctets, length);
        return true;
    }

    /// <summary>Over the whole header, with the checksum's own four octets as zero.</summary>
    private static uint Crc32C(ReadOnlySpan<byte> header, int checksumAt)
    {
        var crc = uint.MaxValue;
        for (var i = 0; i < header.Length; i++)
            crc = BitOperations.Crc32C(crc, i >= checksumAt && i < checksumAt + 4 ? (byte)0 : header[i]);
        return ~crc;
    }

    /// <summary>UTF-8, without what could break a log line.</summary>
    private static string Text(ReadOnlySpan<byte> value)
    {
        var text = Encoding.UTF8.GetString(value);
        return text.Any(char.IsControl) ? string.Concat(text.Select(static c => char.IsControl(c) ? '?' : c)) : text;
    }
}
