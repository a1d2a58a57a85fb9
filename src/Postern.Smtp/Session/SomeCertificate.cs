using Postern.Sasl.Verifiers;

namespace Postern.Smtp.Session;

/// <summary>Stands for a certificate while it is worked out what to offer; never asked.</summary>
internal sealed class SomeCertificate : IExternalIdentity
{
    public static SomeCertificate Instance { get; } = new();

    public ValueTask<LoginAnswer> IdentifyAsync(CancellationToken ct) => new(new LoginAnswer.NoMatch("no certificate was shown", UserExists: false));
}
