using System.Collections.Immutable;
using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Session;

/// <summary>
/// The certificate that a client showed, and whose key it holds: facts, which nothing follows from by itself. Names come from its subjectAltName
/// alone; where that is absent there are none, whatever the subject says.
/// </summary>
/// <param name="Subject">As RFC 4514 text; without control characters.</param>
/// <param name="DnsNames">As in the certificate; visible ASCII.</param>
/// <param name="EmailAddresses">As in the certificate; visible ASCII, and not checked further.</param>
/// <param name="Fingerprint">SHA-256 of the certificate, 64 lower-case hexadecimal digits.</param>
/// <param name="Distrust">Why it is not trusted, in words of the runtime such as <c>NotTimeValid, PartialChain</c>; null when it is, by the system's roots, for client authentication.</param>
public sealed record ClientCertificate(
    string Subject, ImmutableArray<string> DnsNames, ImmutableArray<string> EmailAddresses, string Fingerprint, DateTimeOffset NotAfter, string? Distrust)
{
    /// <summary>More certificates beside a client's own are not looked at: each that is costs whoever builds its chain.</summary>
    internal const int MaxIntermediates = 10;

    /// <summary>The certificate itself, DER.</summary>
    public ReadOnlyMemory<byte> Octets { get; init; }

    /// <summary>The certificates that the client sent with it, DER; empty where the session is resumed, and where they were more than ten.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Intermediates { get; init; } = [];

    /// <summary>Whether its chain ends in an authority that is trusted here.</summary>
    public bool IsTrusted => Distrust is null;

    internal static ClientCertificate Read(X509Certificate2 certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        var names = SubjectNames.Of(certificate);
        var sent = chain?.ChainPolicy.ExtraStore ?? [];
        var isTooLong = sent.Count > MaxIntermediates;
        return new ClientCertificate(
            string.Concat(certificate.Subject.Select(static c => char.IsControl(c) ? '?' : c)),
            names.Dns,
            names.Email,
            certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant(),
            new DateTimeOffset(certificate.NotAfter).ToUniversalTime(),
            isTooLong ? string.Create(CultureInfo.InvariantCulture, $"{sent.Count} certificates were sent with it, and more than {MaxIntermediates} are not looked at") : WhyNot(chain, errors))
        {
            Octets = certificate.RawData,
            Intermediates = isTooLong ? [] : [.. sent.Select(static c => (ReadOnlyMemory<byte>)c.RawData)],
        };
    }

    private static string? WhyNot(X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return null;
        var status = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one.Status) ?? X509ChainStatusFlags.NoError;
        return status == X509ChainStatusFlags.NoError ? errors.ToString() : status.ToString();
    }
}
