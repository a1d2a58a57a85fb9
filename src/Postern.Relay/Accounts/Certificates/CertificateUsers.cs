using System.Collections.Immutable;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;

namespace Postern.Relay.Accounts.Certificates;

/// <summary>
/// Which account a client certificate is: the one that its fingerprint is listed for, else the one that its only name says, where an
/// authority vouches for it. Without a name it is nobody, whatever its subject says.
/// </summary>
public sealed class CertificateUsers(CertificateRules rules, AccountVerifiers accounts, TimeProvider clock) : IClientCertificateUsers
{
    private const int MaxSubject = 200;

    public async ValueTask<LoginAnswer> FindAsync(ClientCertificate certificate, CancellationToken ct)
    {
        if (!TryName(certificate, out var account, out var objection))
            return new LoginAnswer.NoMatch($"{objection} ({Describe(certificate)})", UserExists: false);
        var answer = await accounts.IdentifyAsync(account, ct);
        return answer switch
        {
            LoginAnswer.Match match => match with { Authority = new CertificateAuthority(certificate, match.Authority, clock) },
            LoginAnswer.NoMatch(var reason, var exists) =>
                new LoginAnswer.NoMatch($"{account}: {reason} ({Describe(certificate)})", exists),
            _ => answer,
        };
    }

    /// <summary>The account that it would be, or why it is nobody.</summary>
    private bool TryName(ClientCertificate certificate, out string account, out string objection)
    {
        account = objection = string.Empty;
        var now = clock.GetUtcNow();
        if (rules.Fingerprints.TryGetValue(certificate.Fingerprint, out var listed))
        {
            account = listed;
            objection = certificate.NotAfter < now ? $"the certificate of {listed} has expired" : string.Empty;
            return objection.Length == 0;
        }

        if (rules.Authorities is not { } authorities)
            objection = "the fingerprint is not listed";
        else if (authorities.WhyNot(certificate, now) is { } flaw)
            objection = $"the certificate is not believed: {flaw}";
        else if (Names(certificate) is [var only])
            account = only;
        else
            objection = NoOneName(certificate);
        return objection.Length == 0;
    }

    private ImmutableArray<string> Names(ClientCertificate certificate) =>
        rules.Name == CertificateName.Email ? certificate.EmailAddresses : certificate.DnsNames;

    private string NoOneName(ClientCertificate certificate)
    {
        var kind = rules.Name == CertificateName.Email ? "e-mail address" : "DNS name";
        return Names(certificate).Length == 0
            ? $"the certificate has no {kind} in its subjectAltName"
            : $"the certificate has more than one {kind}, so it is not clear which account it is";
    }

    /// <summary>What an operator needs to find it, or to list it.</summary>
    private static string Describe(ClientCertificate certificate) =>
        $"subject {(certificate.Subject.Length > MaxSubject ? certificate.Subject[..MaxSubject] + "…" : certificate.Subject)}, "
            + $"fingerprint {certificate.Fingerprint}";
}
