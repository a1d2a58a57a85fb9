using Postern.Sasl.Verifiers;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;

namespace Postern.Smtp.Dialogue;

/// <summary>The client of one connection, known by its certificate.</summary>
internal sealed class CertificateIdentity(ClientCertificate certificate, IClientCertificateUsers users) : IExternalIdentity
{
    public ValueTask<LoginAnswer> IdentifyAsync(CancellationToken ct) => users.FindAsync(certificate, ct);
}

/// <summary>Stands for a certificate while it is worked out what to offer; never asked.</summary>
internal sealed class SomeCertificate : IExternalIdentity
{
    public static SomeCertificate Instance { get; } = new();

    public ValueTask<LoginAnswer> IdentifyAsync(CancellationToken ct) =>
        new(new LoginAnswer.NoMatch("no certificate was shown", UserExists: false));
}
