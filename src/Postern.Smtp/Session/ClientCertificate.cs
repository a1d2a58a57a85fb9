using System.Collections.Immutable;

namespace Postern.Smtp.Session;

/// <summary>
/// The certificate that a client showed, and whose key it holds: facts, which nothing follows from by itself. Names come from its
/// subjectAltName alone; where that is absent there are none, whatever the subject says.
/// </summary>
/// <param name="Subject">As RFC 4514 text; without control characters.</param>
/// <param name="DnsNames">As in the certificate; visible ASCII.</param>
/// <param name="EmailAddresses">As in the certificate; visible ASCII, and not checked further.</param>
/// <param name="Fingerprint">SHA-256 of the certificate, 64 lower-case hexadecimal digits.</param>
/// <param name="Distrust">
/// Why it is not trusted, in words of the runtime such as <c>NotTimeValid, PartialChain</c>; null when it is, by the system's roots, for
/// client authentication.
/// </param>
public sealed record ClientCertificate(
    string Subject,
    ImmutableArray<string> DnsNames,
    ImmutableArray<string> EmailAddresses,
    string Fingerprint,
    DateTimeOffset NotAfter,
    string? Distrust)
{
    /// <summary>More certificates beside a client's own are not looked at: each that is costs whoever builds its chain.</summary>
    internal const int MaxIntermediates = 10;

    /// <summary>The certificate itself, DER.</summary>
    public ReadOnlyMemory<byte> Octets { get; init; }

    /// <summary>
    /// The certificates that the client sent with it, DER; empty where the session is resumed, and where they were more than ten.
    /// </summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Intermediates { get; init; } = [];

    /// <summary>Whether its chain ends in an authority that is trusted here.</summary>
    public bool IsTrusted => Distrust is null;
}
