using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Smtp.Transport.Tls;

/// <summary>
/// The certificate's hash for <c>tls-server-end-point</c> (RFC 5929 §4.1): by the hash of its own signature, SHA-256 in place of MD5 and
/// SHA-1. A signature without one such hash, as Ed25519 has, leaves the binding undefined.
/// </summary>
internal static class EndPointHash
{
    private static readonly Asn1Tag PssHash = new(TagClass.ContextSpecific, 0);

    /// <summary>Null where the RFC defines none.</summary>
    public static byte[]? Of(X509Certificate2 certificate) =>
        HashOf(certificate) is { } hash ? CryptographicOperations.HashData(hash, certificate.RawDataMemory.Span) : null;

    private static HashAlgorithmName? HashOf(X509Certificate2 certificate) => certificate.SignatureAlgorithm.Value switch
    {
        "1.2.840.113549.1.1.4" or "1.2.840.113549.1.1.5" or "1.2.840.10045.4.1" => HashAlgorithmName.SHA256,
        "1.2.840.113549.1.1.11" or "1.2.840.10045.4.3.2" => HashAlgorithmName.SHA256,
        "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
        "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
        "1.2.840.113549.1.1.10" => HashOfPss(certificate.RawDataMemory),
        _ => null,
    };

    /// <summary>RSASSA-PSS names its hash in a parameter (RFC 4055 §3.1); left out it is SHA-1.</summary>
    private static HashAlgorithmName? HashOfPss(ReadOnlyMemory<byte> certificate)
    {
        try
        {
            var whole = new AsnReader(certificate, AsnEncodingRules.DER).ReadSequence();
            whole.ReadEncodedValue();
            var algorithm = whole.ReadSequence();
            algorithm.ReadObjectIdentifier();
            var parameters = algorithm.ReadSequence();
            if (!parameters.HasData || !parameters.PeekTag().HasSameClassAndValue(PssHash))
                return HashAlgorithmName.SHA256;
            return parameters.ReadSequence(PssHash).ReadSequence().ReadObjectIdentifier() switch
            {
                "1.3.14.3.2.26" or "2.16.840.1.101.3.4.2.1" => HashAlgorithmName.SHA256,
                "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
                "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
                _ => null,
            };
        }
        catch (AsnContentException)
        {
            return null;
        }
    }
}
