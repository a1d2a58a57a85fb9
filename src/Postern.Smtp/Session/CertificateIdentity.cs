using Postern.Sasl.Verifiers;
using Postern.Smtp.Policy;

namespace Postern.Smtp.Session;

/// <summary>The client of one connection, known by its certificate.</summary>
internal sealed class CertificateIdentity(ClientCertificate certificate, IClientCertificateUsers users) : IExternalIdentity
{
    public ValueTask<LoginAnswer> IdentifyAsync(CancellationToken ct) => users.FindAsync(certificate, ct);
}
