using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Postern.Smtp.Transport.Proxy;

/// <summary>PROXY protocol version 1: one line of text, <c>PROXY TCP4 source destination port port</c>, of at most 107 octets.</summary>
internal static class ProxyVersion1
{
    /// <summary>CRLF included.</summary>
    private const int MaxOctets = 107;

    private const int Fields = 4;

    private static readonly SearchValues<byte> V4Octets = SearchValues.Create("0123456789."u8);
    private static readonly SearchValues<byte> V6Octets = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    public static ReadOnlySpan<byte> Opening => "PROXY "u8;

    public static ProxyStep Read(ReadOnlySpan<byte> octets)
    {
        var end = octets.IndexOfAny((byte)'\r', (byte)'\n');
        if (end < 0)
            return octets.Length > MaxOctets - 2 ? ProxyStep.Wrong("PROXY line too long") : ProxyStep.More(AtLeast(octets));
        if (octets[end] == '\n' || (end + 1 < octets.Length && octets[end + 1] != '\n'))
            return ProxyStep.Wrong("PROXY line does not end in CRLF");
        if (end + 2 > MaxOctets)
            return ProxyStep.Wrong("PROXY line too long");
        return end + 1 == octets.Length ? ProxyStep.More(1) : Parse(octets[Opening.Length..end]);
    }

    public static byte[] Write(ProxyHeader header)
    {
        if (header is not { Source: { } source, Destination: { } destination })
            return [.. "PROXY UNKNOWN\r\n"u8];
        var family = source.AddressFamily == AddressFamily.InterNetworkV6 ? "TCP6" : "TCP4";
        return Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"PROXY {family} {source.Address} {destination.Address} {source.Port} {destination.Port}\r\n"));
    }

    /// <summary>How many octets the line still lacks at least: what its missing fields need, one octet each, and CRLF.</summary>
    private static int AtLeast(ReadOnlySpan<byte> octets)
    {
        if (octets.StartsWith("PROXY UNKNOWN"u8))
            return 2;
        var missing = Fields + 1 - octets.Count((byte)' ');
        return Math.Clamp(missing * 2, 0, MaxOctets - 2 - octets.Length) + 2;
    }

    private static ProxyStep Parse(ReadOnlySpan<byte> text)
    {
        if (text.SequenceEqual("UNKNOWN"u8) || text.StartsWith("UNKNOWN "u8))
            return ProxyStep.Whole(ProxyHeader.Itself);
        var isV6 = text.StartsWith("TCP6 "u8);
        if (!isV6 && !text.StartsWith("TCP4 "u8))
            return ProxyStep.Wrong("unknown protocol in the PROXY line");

        var rest = text[5..];
        Span<Range> fields = stackalloc Range[Fields + 1];
        return Split(rest, fields, (byte)' ') == Fields
            && Address(rest[fields[0]], isV6) is { } source && Address(rest[fields[1]], isV6) is { } destination
            && Port(rest[fields[2]]) is { } sourcePort && Port(rest[fields[3]]) is { } destinationPort
            ? ProxyStep.Whole(new ProxyHeader(new IPEndPoint(source, sourcePort), new IPEndPoint(destination, destinationPort)))
            : ProxyStep.Wrong("malformed PROXY line");
    }

    private static int Split(ReadOnlySpan<byte> text, Span<Range> fields, byte separator)
    {
        var count = 0;
        for (var start = 0; count < fields.Length; count++)
        {
            var length = text[start..].IndexOf(separator);
            if (length < 0)
            {
                fields[count++] = start..;
                return count;
            }

            fields[count] = start..(start + length);
            start += length + 1;
        }

        return count;
    }

    private static IPAddress? Address(ReadOnlySpan<byte> text, bool isV6)
    {
        if (text.ContainsAnyExcept(isV6 ? V6Octets : V4Octets) || !IPAddress.TryParse(Encoding.ASCII.GetString(text), out var address))
            return null;
        if (isV6)
            return address.AddressFamily == AddressFamily.InterNetworkV6 ? address : null;
        return Encoding.ASCII.GetString(text) == address.ToString()
            ? address
            : null; // 010.0.0.1 means different hosts to different readers
    }

    private static int? Port(ReadOnlySpan<byte> text) =>
        text.Length is > 0 and <= 5 && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9') && (text[0] != '0' || text.Length == 1)
        && Utf8Parser.TryParse(text, out int port, out _) && port <= ushort.MaxValue ? port : null;
}
