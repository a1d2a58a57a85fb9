using Postern.Sasl.Verifiers;
using Postern.Smtp.Session;

namespace Postern.Relay.Accounts.Certificates;

/// <summary>A login by a certificate: it ends with that, and with the account.</summary>
/// <param name="account">Whether the account may still log in.</param>
internal sealed class CertificateAuthority(ClientCertificate certificate, ILoginAuthority? account, TimeProvider clock) : ILoginAuthority
{
    public ValueTask<LoginAnswer> ReviewAsync(CancellationToken ct) =>
        certificate.NotAfter < clock.GetUtcNow() ? new(new LoginAnswer.NoMatch($"the certificate expired at {certificate.NotAfter:u}"))
        : account is null ? new(LoginAnswer.Holds.Instance)
        : account.ReviewAsync(ct);
}
