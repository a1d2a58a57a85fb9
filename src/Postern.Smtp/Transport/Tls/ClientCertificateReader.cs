using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Session;

namespace Postern.Smtp.Transport.Tls;

/// <summary>Writes down what a handshake has shown of the client.</summary>
internal static class ClientCertificateReader
{
    public static ClientCertificate Read(X509Certificate2 certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        var names = SubjectNames.Of(certificate);
        var sent = chain?.ChainPolicy.ExtraStore ?? [];
        var isTooLong = sent.Count > ClientCertificate.MaxIntermediates;
        return new ClientCertificate(
            string.Concat(certificate.Subject.Select(static c => char.IsControl(c) ? '?' : c)),
            names.Dns,
            names.Email,
            certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant(),
            new DateTimeOffset(certificate.NotAfter).ToUniversalTime(),
            isTooLong
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"{sent.Count} certificates were sent with it, and more than {ClientCertificate.MaxIntermediates} are not looked at")
                : WhyNot(chain, errors))
        {
            Octets = certificate.RawData,
            Intermediates = isTooLong ? [] : [.. sent.Select(static c => (ReadOnlyMemory<byte>)c.RawData)],
        };
    }

    private static string? WhyNot(X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return null;
        var status = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one.Status)
            ?? X509ChainStatusFlags.NoError;
        return status == X509ChainStatusFlags.NoError ? errors.ToString() : status.ToString();
    }
}
