using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Postern.Smtp.Transport.Proxy;

/// <summary>PROXY protocol version 2: a signature, a length, addresses, and TLVs (<see cref="ProxyTlv"/>).</summary>
internal static class ProxyVersion2
{
    /// <summary>Signature, version and command, family and transport, length.</summary>
    public const int FixedOctets = 16;

    /// <summary>The field can say 65,535; what is really sent is some hundred octets.</summary>
    public const int MaxLength = 4096;

    private const int V4Octets = 12;
    private const int V6Octets = 36;
    private const int UnixOctets = 216;

    public static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    public static ProxyStep Read(ReadOnlySpan<byte> octets)
    {
        if (octets.Length < FixedOctets)
            return ProxyStep.More(FixedOctets - octets.Length);
        var length = BinaryPrimitives.ReadUInt16BigEndian(octets[14..]);
        if (octets[12] >> 4 != 2)
            return ProxyStep.Wrong("unknown PROXY version");
        if ((octets[12] & 0xF) > 1)
            return ProxyStep.Wrong("unknown PROXY command");
        if (length > MaxLength)
            return ProxyStep.Wrong($"PROXY header of {length} octets");
        if (octets.Length < FixedOctets + length)
            return ProxyStep.More(FixedOctets + length - octets.Length);

        // LOCAL: whatever stands in it is to be skipped.
        return (octets[12] & 0xF) == 0 ? ProxyStep.Whole(ProxyHeader.Itself) : Parse(octets[..(FixedOctets + length)]);
    }

    /// <summary>LOCAL, or PROXY with two addresses over TCP.</summary>
    public static byte[] Write(ProxyHeader header)
    {
        var (source, destination) = (header.Source, header.Destination);
        var isV6 = source?.AddressFamily == AddressFamily.InterNetworkV6;
        var length = source is null ? 0 : isV6 ? V6Octets : V4Octets;
        var octets = new byte[FixedOctets + length];
        Signature.CopyTo(octets);
        octets[12] = (byte)(source is null ? 0x20 : 0x21);
        octets[13] = (byte)(source is null ? 0 : isV6 ? 0x21 : 0x11);
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(14), (ushort)length);
        if (source is null || destination is null)
            return octets;
        var body = octets.AsSpan(FixedOctets);
        var address = (length - 4) / 2;
        source.Address.TryWriteBytes(body, out _);
        destination.Address.TryWriteBytes(body[address..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(body[(2 * address)..], (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(body[((2 * address) + 2)..], (ushort)destination.Port);
        return octets;
    }

    private static ProxyStep Parse(ReadOnlySpan<byte> header)
    {
        var (family, transport) = (header[13] >> 4, header[13] & 0xF);
        var octets = family switch { 0 => 0, 1 => V4Octets, 2 => V6Octets, 3 => UnixOctets, _ => -1 };
        if (octets < 0 || transport > 2)
            return ProxyStep.Wrong("unknown PROXY address family or transport");
        if (transport == 2)
            return ProxyStep.Wrong("a datagram is no SMTP connection");
        var body = header[FixedOctets..];
        if (body.Length < octets)
            return ProxyStep.Wrong("PROXY header too short for its addresses");
        if (family == 0 || transport == 0)
            return ProxyStep.Whole(ProxyHeader.Itself);

        if (ProxyTlv.Read(header, FixedOctets + octets, out var claims) is { } problem)
            return ProxyStep.Wrong(problem);
        var itself = family == 3;
        var address = (octets - 4) / 2;
        return ProxyStep.Whole(itself
            ? ProxyHeader.Itself with { Claims = claims }
            : new ProxyHeader(EndPoint(body, 0, address, port: 2 * address), EndPoint(body, address, address, port: (2 * address) + 2))
            {
                Claims = claims,
            });
    }

    private static IPEndPoint EndPoint(ReadOnlySpan<byte> body, int start, int length, int port) =>
        new(new IPAddress(body.Slice(start, length)), BinaryPrimitives.ReadUInt16BigEndian(body[port..]));
}
