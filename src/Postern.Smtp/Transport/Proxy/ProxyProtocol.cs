namespace Postern.Smtp.Transport.Proxy;

/// <summary>
/// The PROXY protocol of HAProxy, versions 1 and 2. Incremental, and never asks for an octet that may belong to what follows: a greeting or
/// a TLS handshake can stand in the same segment.
/// </summary>
internal static class ProxyProtocol
{
    /// <summary>No header of either version is shorter: <c>PROXY UNKNOWN</c> with CRLF.</summary>
    private const int ShortestOctets = 15;

    /// <summary>The longest header that is taken (version 2, with everything that it may carry).</summary>
    public const int MaxOctets = ProxyVersion2.FixedOctets + ProxyVersion2.MaxLength;

    /// <summary>Judges what was read so far, which is never more than the header.</summary>
    public static ProxyStep Read(ReadOnlySpan<byte> octets)
    {
        if (IsBegunBy(ProxyVersion1.Opening, octets))
            return octets.Length < ShortestOctets ? ProxyStep.More(ShortestOctets - octets.Length) : ProxyVersion1.Read(octets);
        if (IsBegunBy(ProxyVersion2.Signature, octets))
            return octets.Length < ShortestOctets ? ProxyStep.More(ShortestOctets - octets.Length) : ProxyVersion2.Read(octets);
        return ProxyStep.Wrong("no PROXY header");
    }

    private static bool IsBegunBy(ReadOnlySpan<byte> opening, ReadOnlySpan<byte> octets)
    {
        var length = Math.Min(opening.Length, octets.Length);
        return octets[..length].SequenceEqual(opening[..length]);
    }
}
