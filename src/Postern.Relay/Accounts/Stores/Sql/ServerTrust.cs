using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Relay.Accounts.Stores.Sql;

/// <summary>Judges the certificate of a database server: it bears the server's name and leads to an authority that is trusted.</summary>
internal sealed class ServerTrust(X509ChainPolicy policy)
{
    /// <summary>What its certificate must be good for (RFC 5280 §4.2.1.12).</summary>
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    /// <summary>As the callback of a handshake; true.</summary>
    /// <exception cref="AuthenticationException">It is not trusted; the text says why.</exception>
    public bool Accept(object sender, X509Certificate? certificate, X509Chain? sent, SslPolicyErrors errors) =>
        WhyNot(certificate, sent, errors) is { } problem ? throw new AuthenticationException(problem) : true;

    private string? WhyNot(X509Certificate? certificate, X509Chain? sent, SslPolicyErrors errors)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            return "it shows no certificate";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return "its certificate is for another name";
        using var chain = new X509Chain { ChainPolicy = policy.Clone() };
        chain.ChainPolicy.ApplicationPolicy.Add(ServerAuthentication);
        if (sent is not null)
            chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        using var copy = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        if (chain.Build(copy))
            return null;
        var all = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (flags, one) => flags | one.Status);
        return (all & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0
            ? "its certificate leads to no authority that is trusted here ('ca' names others)"
            : (all & X509ChainStatusFlags.NotTimeValid) != 0
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"its certificate is out of date: it is good from {copy.NotBefore.ToUniversalTime():u} "
                        + $"to {copy.NotAfter.ToUniversalTime():u}")
                : $"its certificate is not trusted: {all}";
    }
}
