using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Relay.Delivery.Tls;

/// <summary>
/// The key of a certificate as its octets stand in it (SubjectPublicKeyInfo, RFC 5280 §4.1.2.7): decoded and encoded again they might be
/// others, and a digest of them another one.
/// </summary>
internal static class CertificateKey
{
    private static readonly Asn1Tag Version = new(TagClass.ContextSpecific, 0, isConstructed: true);

    /// <summary>Empty where the certificate cannot be taken apart.</summary>
    public static ReadOnlyMemory<byte> Of(X509Certificate2 certificate)
    {
        try
        {
            var parts = new AsnReader(certificate.RawDataMemory, AsnEncodingRules.DER).ReadSequence().ReadSequence();
            if (parts.PeekTag().HasSameClassAndValue(Version))
                parts.ReadEncodedValue();
            // Serial number, algorithm, issuer, validity, subject.
            for (var i = 0; i < 5; i++)
                parts.ReadEncodedValue();
            return parts.ReadEncodedValue();
        }
        catch (AsnContentException)
        {
            return default;
        }
    }
}
