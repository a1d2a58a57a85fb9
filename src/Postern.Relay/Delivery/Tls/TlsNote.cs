using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Relay.Delivery.Tls;

/// <summary>What TLS with one host came to, for the log. One for each connection; every outcome on it shares it.</summary>
/// <param name="Policy">What it was held to.</param>
public sealed record TlsNote(TlsPolicy Policy)
{
    /// <summary>What the certificate proved.</summary>
    public TlsTrust Trust { get; init; }

    /// <summary>What went wrong, whether or not the mail went all the same; null where nothing did.</summary>
    public TlsFault? Fault { get; init; }

    /// <summary>What the server showed; null where it came to no certificate.</summary>
    public ShownCertificate? Certificate { get; init; }
}

/// <summary>What a host was held to.</summary>
public enum TlsPolicy
{
    /// <summary>What the route says of a server that it names.</summary>
    Route,
    None,
    Opportunistic,
    Encrypt,
    Verify,

    /// <summary>TLSA records that DNSSEC proves (RFC 7672).</summary>
    Dane,

    /// <summary>An MTA-STS policy in force (RFC 8461).</summary>
    MtaSts,

    /// <summary>An MTA-STS policy that is tried: what it forbids is reported, and done (RFC 8461 §5).</summary>
    MtaStsTesting,

    /// <summary>Nothing, by the sender's word: <c>TLS-Required: No</c> (RFC 8689 §3).</summary>
    TlsRequiredNo,
}

/// <summary>What a certificate proved.</summary>
public enum TlsTrust
{
    /// <summary>Nothing, or there was none.</summary>
    None,

    /// <summary>The host's name; that this host takes the domain's mail came from DNS without proof (RFC 7672 §2.2.1).</summary>
    HostOnly,

    /// <summary>That the host is one which takes the domain's mail, or the one that the operator named.</summary>
    Verified,
}

/// <summary>What can go wrong with TLS: the result types of RFC 8460 §4.3.</summary>
public enum TlsFault
{
    /// <summary>The host does not offer STARTTLS, or refuses it.</summary>
    StartTlsNotSupported,

    CertificateHostMismatch,
    CertificateExpired,
    CertificateNotTrusted,

    /// <summary>Anything else in the handshake.</summary>
    ValidationFailure,

    /// <summary>The certificate is in none of the TLSA records, or none of these can be used.</summary>
    TlsaInvalid,

    /// <summary>The records could not be looked up, or DNSSEC refutes them.</summary>
    DnssecInvalid,

    /// <summary>DANE is required here, and nothing usable is published.</summary>
    DaneRequired,

    StsPolicyFetchError,

    /// <summary>The policy could not be read, or the host is not in it.</summary>
    StsPolicyInvalid,

    /// <summary>The certificate of the server that has the policy did not verify.</summary>
    StsWebpkiInvalid,
}

/// <summary>The words for these in events and reports.</summary>
public static class TlsWords
{
    public static string Of(TlsPolicy policy) => policy switch
    {
        TlsPolicy.Route => "route",
        TlsPolicy.None => "none",
        TlsPolicy.Opportunistic => "opportunistic",
        TlsPolicy.Encrypt => "encrypt",
        TlsPolicy.Verify => "verify",
        TlsPolicy.Dane => "dane",
        TlsPolicy.MtaSts => "mta-sts",
        TlsPolicy.MtaStsTesting => "mta-sts-testing",
        TlsPolicy.TlsRequiredNo => "tls-required-no",
        _ => throw new InvalidOperationException($"{policy} has no word"),
    };

    public static string Of(TlsTrust trust) => trust switch
    {
        TlsTrust.HostOnly => "host_only",
        TlsTrust.Verified => "verified",
        _ => "unverified",
    };

    public static string Of(TlsFault fault) => fault switch
    {
        TlsFault.StartTlsNotSupported => "starttls-not-supported",
        TlsFault.CertificateHostMismatch => "certificate-host-mismatch",
        TlsFault.CertificateExpired => "certificate-expired",
        TlsFault.CertificateNotTrusted => "certificate-not-trusted",
        TlsFault.ValidationFailure => "validation-failure",
        TlsFault.TlsaInvalid => "tlsa-invalid",
        TlsFault.DnssecInvalid => "dnssec-invalid",
        TlsFault.DaneRequired => "dane-required",
        TlsFault.StsPolicyFetchError => "sts-policy-fetch-error",
        TlsFault.StsPolicyInvalid => "sts-policy-invalid",
        TlsFault.StsWebpkiInvalid => "sts-webpki-invalid",
        _ => throw new InvalidOperationException($"{fault} has no word"),
    };
}

/// <summary>A certificate, for the log: enough to find it again, in visible ASCII.</summary>
/// <param name="Sha256">Of the whole certificate, in hexadecimal digits.</param>
/// <param name="Spki256">SHA-256 of its key, as a TLSA record with <c>3 1 1</c> has it.</param>
/// <param name="Names">The first of those in its subjectAltName.</param>
public sealed record ShownCertificate(
    string Sha256, string Spki256, ImmutableArray<string> Names, string Subject, string Issuer, DateTimeOffset From, DateTimeOffset Until)
{
    /// <summary>Null where there is none, or it cannot be read.</summary>
    /// <param name="certificate">In DER.</param>
    public static ShownCertificate? Read(ReadOnlySpan<byte> certificate)
    {
        if (certificate.IsEmpty)
            return null;
        try
        {
            using var read = X509CertificateLoader.LoadCertificate(certificate);
            return Of(read);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    public static ShownCertificate Of(X509Certificate2 certificate) => new(
        Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span)),
        Convert.ToHexStringLower(SHA256.HashData(CertificateKey.Of(certificate).Span)),
        CertificateNames.Of(certificate),
        CertificateNames.Visible(certificate.Subject),
        CertificateNames.Visible(certificate.Issuer),
        certificate.NotBefore.ToUniversalTime(),
        certificate.NotAfter.ToUniversalTime());

    /// <summary>Its names, or its subject where it has none.</summary>
    public string For => Names.IsEmpty ? Subject : string.Join(", ", Names);
}
