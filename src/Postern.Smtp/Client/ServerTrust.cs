using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Transport.Tls;

namespace Postern.Smtp.Client;

/// <summary>
/// Whether a server's certificate is the one that was meant, and if not, which of the checks failed: name, date, usage or issuer. What the
/// server wrote into its certificate is shown in visible ASCII only, and cut.
/// </summary>
internal static class ServerTrust
{
    private const int MaxShown = 80;
    private const int MaxNames = 4;
    private const string AnyUsage = "2.5.29.37.0";
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    /// <summary>A stranger's certificate names addresses to fetch its issuers from: nothing is ever fetched.</summary>
    public static X509ChainPolicy PolicyFor(X509Certificate2Collection? roots)
    {
        var policy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck };
        policy.ApplicationPolicy.Add(ServerAuthentication);
        if (roots is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(roots);
        }

        return policy;
    }

    /// <summary>Trusts nobody, which is soon decided: for who looks at what was sent by himself.</summary>
    public static X509ChainPolicy NoPolicy()
    {
        var policy = new X509ChainPolicy
        {
            DisableCertificateDownloads = true,
            RevocationMode = X509RevocationMode.NoCheck,
            TrustMode = X509ChainTrustMode.CustomRootTrust,
        };
        policy.ApplicationPolicy.Add(ServerAuthentication);
        return policy;
    }

    /// <summary>Null when it verifies.</summary>
    /// <param name="expected">A name or an address; null where none was asked for.</param>
    /// <param name="roots">Null for the platform's.</param>
    public static ServerDistrust? WhyNot(
        X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, string? expected, X509Certificate2Collection? roots) =>
        WhyNot(certificate, StatusOf(chain), errors, expected, roots);

    /// <summary>What is wrong with a chain, all of it.</summary>
    public static X509ChainStatusFlags StatusOf(X509Chain? chain) =>
        (chain?.ChainStatus ?? []).Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one.Status);

    /// <inheritdoc cref="WhyNot(X509Certificate, X509Chain, SslPolicyErrors, string, X509Certificate2Collection)"/>
    /// <param name="flags">What is wrong with its chain.</param>
    public static ServerDistrust? WhyNot(
        X509Certificate? certificate,
        X509ChainStatusFlags flags,
        SslPolicyErrors errors,
        string? expected,
        X509Certificate2Collection? roots)
    {
        if (errors == SslPolicyErrors.None)
            return null;
        if (certificate is not X509Certificate2 shown || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            return new ServerDistrust(CertificateFault.Missing, "the server shows no certificate");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return new ServerDistrust(
                CertificateFault.WrongName,
                $"wrong name: the certificate is for {NamesOf(shown)}, and {expected ?? "no name"} was expected");
        const X509ChainStatusFlags Unrooted = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain;
        // A certificate that stands in the file of roots itself needs no issuer.
        if (roots is not null && roots.Any(root => root.RawDataMemory.Span.SequenceEqual(shown.RawDataMemory.Span)))
            flags &= ~Unrooted;
        if (flags == X509ChainStatusFlags.NoError)
            return null;
        var (fault, reason) = Reason(flags, shown, roots);
        return new ServerDistrust(fault, $"{reason}; the certificate is for {NamesOf(shown)}");
    }

    private static (CertificateFault Fault, string Words) Reason(
        X509ChainStatusFlags flags, X509Certificate2 shown, X509Certificate2Collection? roots)
    {
        if (flags.HasFlag(X509ChainStatusFlags.NotTimeValid))
            return (CertificateFault.WrongDate, string.Create(
                CultureInfo.InvariantCulture,
                $"wrong date: the certificate or an issuer of it is not valid at this clock's time; "
                    + $"the certificate is from {shown.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} to "
                    + $"{shown.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC"));
        if (flags.HasFlag(X509ChainStatusFlags.NotValidForUsage))
            return (
                CertificateFault.WrongUsage,
                $"wrong usage: the certificate is not for servers (serverAuth), but for {UsageOf(shown)}");
        if (flags.HasFlag(X509ChainStatusFlags.UntrustedRoot) && shown.SubjectName.RawData.AsSpan().SequenceEqual(shown.IssuerName.RawData))
            return (
                CertificateFault.UnknownIssuer,
                $"unknown issuer: the certificate is self-signed, and is not among {Among(roots)}");
        if ((flags & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != X509ChainStatusFlags.NoError)
            return (
                CertificateFault.UnknownIssuer,
                $"unknown issuer: '{Visible(shown.Issuer)}' issued it, and the way from there to {Among(roots)} is "
                    + $"missing or leads elsewhere");
        return (CertificateFault.Other, $"the certificate does not verify ({flags})");
    }

    private static string Among(X509Certificate2Collection? roots) =>
        roots is null ? "this machine's trusted roots" : "the certificates of 'ca'";

    private static string UsageOf(X509Certificate2 shown)
    {
        var usages = shown.Extensions.OfType<X509EnhancedKeyUsageExtension>().SelectMany(static e => e.EnhancedKeyUsages.Cast<Oid>())
            .Select(static o => o.Value).Where(static o => o is not (null or AnyUsage)).Take(MaxNames);
        return string.Join(", ", usages.Select(static o => o switch
        {
            "1.3.6.1.5.5.7.3.1" => "serverAuth, which an issuer of it does not allow",
            "1.3.6.1.5.5.7.3.2" => "clientAuth",
            "1.3.6.1.5.5.7.3.4" => "emailProtection",
            _ => o,
        })) is { Length: > 0 } named ? named : "what its issuers allow";
    }

    /// <summary>The names that a certificate is for, for people.</summary>
    public static string NamesOf(X509Certificate2 shown)
    {
        var names = SubjectNames.Of(shown);
        string[] all = [.. names.Dns, .. names.Addresses.Select(static a => a.ToString())];
        if (all.Length == 0)
            return $"no name in subjectAltName (its subject is '{Visible(shown.Subject)}')";
        var listed = string.Join(", ", all.Take(MaxNames).Select(Visible));
        return all.Length > MaxNames ? $"{listed} and {(all.Length - MaxNames).ToString(CultureInfo.InvariantCulture)} more" : listed;
    }

    private static string Visible(string text)
    {
        var visible = string.Concat(text.Take(MaxShown).Select(static c => c is >= ' ' and <= '~' ? c : '?'));
        return text.Length > MaxShown ? visible + "…" : visible;
    }
}
