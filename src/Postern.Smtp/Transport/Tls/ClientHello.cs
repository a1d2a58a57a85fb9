using System.Buffers.Binary;
using System.Security.Authentication;

namespace Postern.Smtp.Transport.Tls;

/// <summary>
/// What a client offers in its first message (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2), as far as it decides which kind of certificate it can
/// use and is worth a word in the log. Everything is a stranger's: what does not fit is no hello, and the handshake goes on without one.
/// </summary>
/// <param name="Version">The newest that it speaks: <c>0x0304</c> is TLS 1.3.</param>
/// <param name="TakesEcdsa">It can check an ECDSA signature, and below TLS 1.3 has a cipher for it.</param>
/// <param name="TakesRsa">The same for RSA.</param>
internal readonly record struct ClientHello(ushort Version, bool TakesEcdsa, bool TakesRsa)
{
    private const ushort Tls13 = 0x0304;
    private const ushort SignatureAlgorithms = 13;
    private const ushort SupportedVersions = 43;

    /// <summary><c>TLS 1.2</c>.</summary>
    public string VersionName => Version switch
    {
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        Tls13 => "TLS 1.3",
        _ => "an unknown version of TLS",
    };

    /// <param name="octets">From the first octet of the connection on; may end anywhere.</param>
    /// <param name="spoken">What the listener speaks.</param>
    public static ClientHello? Read(ReadOnlySpan<byte> octets, SslProtocols spoken)
    {
        // Record header, handshake header, version, random.
        if (octets is not [0x16, 0x03, _, _, _, 0x01, _, _, _, 0x03, _, ..] || octets.Length < 43)
            return null;
        var version = BinaryPrimitives.ReadUInt16BigEndian(octets[9..]);
        var rest = octets[43..];
        if (!TryTake(ref rest, lengthOctets: 1, out _)
            || !TryTake(ref rest, lengthOctets: 2, out var suites)
            || !TryTake(ref rest, lengthOctets: 1, out _))
            return null;
        scoped ReadOnlySpan<byte> signatures = default;
        if (TryTake(ref rest, lengthOctets: 2, out var extensions))
        {
            while (extensions.Length >= 4)
            {
                var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
                extensions = extensions[2..];
                if (!TryTake(ref extensions, lengthOctets: 2, out var data))
                    return null;
                if (type == SignatureAlgorithms && TryTake(ref data, lengthOctets: 2, out var listed))
                    signatures = listed;
                else if (type == SupportedVersions && TryTake(ref data, lengthOctets: 1, out var versions))
                    version = Newest(versions, version);
            }
        }

        var isTls13 = version >= Tls13 && spoken.HasFlag(SslProtocols.Tls13);
        return new ClientHello(
            version,
            (isTls13 || Has(suites, IsEcdsa))
                && (isTls13 ? Has(signatures, static s => s is 0x0403 or 0x0503 or 0x0603) : signatures.IsEmpty
                    || Has(signatures, static s => (s & 0xff) == 0x03)),
            (isTls13
                || Has(suites, static s => !IsEcdsa(s) && s is not 0x00ff and not 0x5600 && s >> 8 is not 0x13 && (s & 0x0f0f) != 0x0a0a))
                && (isTls13 ? Has(signatures, static s => s is 0x0804 or 0x0805 or 0x0806) : signatures.IsEmpty
                    || Has(signatures, static s => (s & 0xff) == 0x01 || s >> 8 == 0x08)));
    }

    /// <summary>ECDHE_ECDSA with AES, ChaCha20 or 3DES.</summary>
    private static bool IsEcdsa(ushort suite) => suite is 0xc008 or 0xc009 or 0xc00a or 0xc023 or 0xc024 or 0xc02b or 0xc02c or 0xcca9;

    /// <summary>Without the values that stand for nothing (RFC 8701).</summary>
    private static ushort Newest(ReadOnlySpan<byte> versions, ushort least)
    {
        ushort newest = 0;
        for (; versions.Length >= 2; versions = versions[2..])
        {
            var version = BinaryPrimitives.ReadUInt16BigEndian(versions);
            if (version is >= 0x0300 and <= Tls13 && version > newest)
                newest = version;
        }

        return newest == 0 ? least : newest;
    }

    private static bool Has(ReadOnlySpan<byte> values, Func<ushort, bool> isIt)
    {
        for (; values.Length >= 2; values = values[2..])
        {
            if (isIt(BinaryPrimitives.ReadUInt16BigEndian(values)))
                return true;
        }

        return false;
    }

    private static bool TryTake(scoped ref ReadOnlySpan<byte> from, int lengthOctets, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (from.Length < lengthOctets)
            return false;
        var length = lengthOctets == 1 ? from[0] : BinaryPrimitives.ReadUInt16BigEndian(from);
        if (from.Length < lengthOctets + length)
            return false;
        taken = from.Slice(lengthOctets, length);
        from = from[(lengthOctets + length)..];
        return true;
    }
}
