using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Postern.Relay.Delivery.Dns;

/// <summary>
/// The codec of DNS messages (RFC 1035 §4). What comes in is hostile: every length is checked, names are read without recursion, a
/// compression pointer must point before the name part that holds it, and anything wrong makes the whole message unreadable.
/// </summary>
internal static class DnsMessage
{
    public const int HeaderLength = 12;

    private const int MaxNameOctets = 255;
    private const int MaxRecords = 256;
    private const ushort ClassInternet = 1;
    private const byte AuthenticBit = 0x20;

    /// <summary>Writes a question with recursion desired; answers its length, or 0 when the name cannot be asked for.</summary>
    /// <param name="message">512 octets suffice.</param>
    /// <param name="asksWhetherAuthentic">The AD bit of a question asks for that of its answer (RFC 6840 §5.7).</param>
    public static int WriteQuestion(Span<byte> message, ushort id, string name, DnsType type, bool asksWhetherAuthentic = false)
    {
        message[..HeaderLength].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(message, id);
        message[2] = 1;
        message[3] = asksWhetherAuthentic ? AuthenticBit : (byte)0;
        message[5] = 1;
        var offset = HeaderLength;
        foreach (var range in name.AsSpan().Split('.'))
        {
            var label = name.AsSpan()[range];
            if (label.Length is 0 or > 63 || !Ascii.IsValid(label) || offset + label.Length > HeaderLength + MaxNameOctets - 2)
                return 0;
            message[offset++] = (byte)label.Length;
            offset += Encoding.ASCII.GetBytes(label, message[offset..]);
        }

        message[offset++] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(message[offset..], (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(message[(offset + 2)..], ClassInternet);
        return offset + 4;
    }

    /// <summary>Reads the response to a question; null when it is none, or not to this one, or malformed.</summary>
    public static DnsResponse? TryRead(ReadOnlySpan<byte> message, ushort id, string name, DnsType type)
    {
        if (message.Length < HeaderLength || BinaryPrimitives.ReadUInt16BigEndian(message) != id)
            return null;
        const int ResponseAndOpcode = 0xF8;
        if ((message[2] & ResponseAndOpcode) != 0x80 || BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1)
            return null;
        var offset = HeaderLength;
        if (!TryReadName(message, ref offset, out var asked)
            || !asked.Equals(name, StringComparison.OrdinalIgnoreCase)
            || offset + 4 > message.Length)
            return null;
        if (BinaryPrimitives.ReadUInt16BigEndian(message[offset..]) != (ushort)type
            || BinaryPrimitives.ReadUInt16BigEndian(message[(offset + 2)..]) != ClassInternet)
            return null;
        offset += 4;

        var isTruncated = (message[2] & 2) != 0;
        var records = new List<DnsRecord>();
        int count = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        if (!isTruncated && (count > MaxRecords || !TryReadRecords(message, offset, count, records)))
            return null;
        return new DnsResponse(message[3] & 0xF, isTruncated, records) { IsAuthentic = (message[3] & AuthenticBit) != 0 };
    }

    private static bool TryReadRecords(ReadOnlySpan<byte> message, int offset, int count, List<DnsRecord> records)
    {
        const int FixedLength = 10;
        for (var i = 0; i < count; i++)
        {
            if (!TryReadName(message, ref offset, out var owner) || offset + FixedLength > message.Length)
                return false;
            var type = (DnsType)BinaryPrimitives.ReadUInt16BigEndian(message[offset..]);
            var isInternet = BinaryPrimitives.ReadUInt16BigEndian(message[(offset + 2)..]) == ClassInternet;
            // A time to live with the top bit set is to be read as zero (RFC 2181 §8).
            var seconds = BinaryPrimitives.ReadInt32BigEndian(message[(offset + 4)..]);
            int length = BinaryPrimitives.ReadUInt16BigEndian(message[(offset + 8)..]);
            offset += FixedLength;
            if (offset + length > message.Length)
                return false;
            if (isInternet && !TryReadData(message, offset, length, type, owner, TimeSpan.FromSeconds(Math.Max(0, seconds)), records))
                return false;
            offset += length;
        }

        return true;
    }

    /// <summary>Reads the data of a record whose type matters here; others are passed over.</summary>
    private static bool TryReadData(
        ReadOnlySpan<byte> message, int offset, int length, DnsType type, string owner, TimeSpan ttl, List<DnsRecord> records)
    {
        var end = offset + length;
        switch (type)
        {
            case DnsType.A or DnsType.Aaaa:
                if (length != (type == DnsType.A ? 4 : 16))
                    return false;
                records.Add(new DnsRecord.Address(owner, ttl, new IPAddress(message[offset..end])));
                return true;
            case DnsType.Cname or DnsType.Ptr:
                if (!TryReadName(message, ref offset, out var target) || offset != end)
                    return false;
                records.Add(type == DnsType.Cname ? new DnsRecord.Cname(owner, ttl, target) : new DnsRecord.Ptr(owner, ttl, target));
                return true;
            case DnsType.Txt:
                if (!TryReadStrings(message[offset..end], out var text))
                    return false;
                records.Add(new DnsRecord.Txt(owner, ttl, text));
                return true;
            case DnsType.Srv:
                if (length < 7)
                    return false;
                var (priority, weight, port) = (UInt16(message, offset), UInt16(message, offset + 2), UInt16(message, offset + 4));
                offset += 6;
                if (!TryReadName(message, ref offset, out var server) || offset != end)
                    return false;
                records.Add(new DnsRecord.Srv(owner, ttl, priority, weight, port, server));
                return true;
            case DnsType.Tlsa:
                if (length < 3)
                    return false;
                var data = message[offset..end];
                records.Add(new DnsRecord.Tlsa(owner, ttl, data[0], data[1], data[2], [.. data[3..]]));
                return true;
            case DnsType.Mx:
                if (length < 3)
                    return false;
                var preference = BinaryPrimitives.ReadUInt16BigEndian(message[offset..]);
                offset += 2;
                if (!TryReadName(message, ref offset, out var exchange) || offset != end)
                    return false;
                records.Add(new DnsRecord.Mx(owner, ttl, preference, exchange));
                return true;
            default:
                return true;
        }
    }

    private static int UInt16(ReadOnlySpan<byte> message, int offset) => BinaryPrimitives.ReadUInt16BigEndian(message[offset..]);

    /// <summary>Joins strings that each stand behind their length (RFC 1035 §3.3.14); one at least.</summary>
    private static bool TryReadStrings(ReadOnlySpan<byte> data, out string text)
    {
        var joined = new StringBuilder(data.Length);
        var isAny = false;
        while (data.Length > 0)
        {
            isAny = true;
            int size = data[0];
            if (size >= data.Length)
            {
                text = string.Empty;
                return false;
            }

            joined.Append(Encoding.Latin1.GetString(data.Slice(1, size)));
            data = data[(size + 1)..];
        }

        text = joined.ToString();
        return isAny;
    }

    /// <summary>Reads a name and moves behind it. A pointer must lead before the part it stands in, so the walk always ends.</summary>
    private static bool TryReadName(ReadOnlySpan<byte> message, ref int offset, out string name)
    {
        name = string.Empty;
        Span<char> text = stackalloc char[MaxNameOctets];
        var length = 0;
        var at = offset;
        var partStart = offset;
        var hasJumped = false;
        while (at < message.Length)
        {
            int size = message[at];
            if (size == 0)
            {
                if (!hasJumped)
                    offset = at + 1;
                name = length == 0 ? string.Empty : new string(text[..(length - 1)]);
                return true;
            }

            if ((size & 0xC0) == 0xC0)
            {
                if (at + 1 >= message.Length)
                    return false;
                var target = ((size & 0x3F) << 8) | message[at + 1];
                if (target >= partStart)
                    return false;
                if (!hasJumped)
                    offset = at + 2;
                hasJumped = true;
                at = partStart = target;
                continue;
            }

            if (size > 63 || at + 1 + size > message.Length || length + size + 1 > MaxNameOctets)
                return false;
            foreach (var octet in message.Slice(at + 1, size))
                text[length++] = HostCharacter(octet);
            text[length++] = '.';
            at += 1 + size;
        }

        return false;
    }

    private static char HostCharacter(byte octet) => (char)octet switch
    {
        >= 'A' and <= 'Z' => (char)(octet | 0x20),
        (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_' => (char)octet,
        _ => '?',
    };
}
