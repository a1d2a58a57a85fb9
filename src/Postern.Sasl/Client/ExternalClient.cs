using System.Text;

namespace Postern.Sasl.Client;

/// <summary>EXTERNAL (RFC 4422 appendix A).</summary>
public sealed class ExternalClient : ISaslClientMechanism
{
    public static ExternalClient Instance { get; } = new();

    public string Name => "EXTERNAL";

    public bool ExposesSecret => false;

    public ISaslClientExchange? TryStart(SaslClientCredentials credentials) =>
        credentials.HasClientCertificate ? new ScriptedExchange(initial: Encoding.UTF8.GetBytes(credentials.AuthorizationId)) : null;
}
