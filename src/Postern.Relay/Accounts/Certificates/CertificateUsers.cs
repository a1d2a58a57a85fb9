using System.Collections.Immutable;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;

namespace Postern.Relay.Accounts.Certificates;

/// <summary>
/// Which account a client certificate is: the one that its fingerprint is listed for, else the one that its only name says, where an
/// authority vouches for it. Without a name it is nobody, whatever its subject says.
/// </summary>
/// <param name="newest">What is configured now, for those who logged in before; null where that does not change.</param>
public sealed class CertificateUsers(
    CertificateRules rules, AccountVerifiers accounts, TimeProvider clock, Func<CertificateRules?>? newest = null) : IClientCertificateUsers
{
    private const int MaxSubject = 200;

    public async ValueTask<LoginAnswer> FindAsync(ClientCertificate certificate, CancellationToken ct)
    {
        if (!TryName(rules, certificate, out var account, out var objection))
            return new LoginAnswer.NoMatch($"{objection} ({Describe(certificate)})", UserExists: false);
        var answer = await accounts.IdentifyAsync(account, ct);
        return answer switch
        {
            LoginAnswer.Match match => match with
            {
                Authority = new ListedAuthority(
                    () => WhyNoMore(certificate, account), new CertificateAuthority(certificate, match.Authority, clock)),
            },
            LoginAnswer.NoMatch(var reason, var exists) =>
                new LoginAnswer.NoMatch($"{account}: {reason} ({Describe(certificate)})", exists),
            _ => answer,
        };
    }

    /// <summary>Why it logs that account in no more by what is configured now; null where it still would.</summary>
    private string? WhyNoMore(ClientCertificate certificate, string account)
    {
        if (newest is null || newest() is not { } now)
            return newest is null ? null : "client certificates log in nobody any more";
        if (ReferenceEquals(now, rules))
            return null;
        return !TryName(now, certificate, out var whose, out var objection) ? $"{objection} any more ({Describe(certificate)})"
            : string.Equals(whose, account, StringComparison.OrdinalIgnoreCase) ? null
            : $"the certificate is {whose}'s by now ({Describe(certificate)})";
    }

    /// <summary>The account that it would be, or why it is nobody.</summary>
    private bool TryName(CertificateRules by, ClientCertificate certificate, out string account, out string objection)
    {
        account = objection = string.Empty;
        var now = clock.GetUtcNow();
        if (by.Fingerprints.TryGetValue(certificate.Fingerprint, out var listed))
        {
            account = listed;
            objection = certificate.NotAfter < now ? $"the certificate of {listed} has expired" : string.Empty;
            return objection.Length == 0;
        }

        if (by.Authorities is not { } authorities)
            objection = "the fingerprint is not listed";
        else if (authorities.WhyNot(certificate, now) is { } flaw)
            objection = $"the certificate is not believed: {flaw}";
        else if (Names(by, certificate) is [var only])
            account = only;
        else
            objection = NoOneName(by, certificate);
        return objection.Length == 0;
    }

    private static ImmutableArray<string> Names(CertificateRules by, ClientCertificate certificate) =>
        by.Name == CertificateName.Email ? certificate.EmailAddresses : certificate.DnsNames;

    private static string NoOneName(CertificateRules by, ClientCertificate certificate)
    {
        var kind = by.Name == CertificateName.Email ? "e-mail address" : "DNS name";
        return Names(by, certificate).Length == 0
            ? $"the certificate has no {kind} in its subjectAltName"
            : $"the certificate has more than one {kind}, so it is not clear which account it is";
    }

    /// <summary>What an operator needs to find it, or to list it.</summary>
    private static string Describe(ClientCertificate certificate) =>
        $"subject {(certificate.Subject.Length > MaxSubject ? certificate.Subject[..MaxSubject] + "…" : certificate.Subject)}, "
            + $"fingerprint {certificate.Fingerprint}";
}
