using System.Text;

namespace Postern.Sasl.Client;

/// <summary>EXTERNAL (RFC 4422 appendix A).</summary>
public sealed class ExternalClient : ISaslClientMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static ExternalClient Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "EXTERNAL";

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <inheritdoc/>
    public ISaslClientExchange? TryStart(SaslClientCredentials credentials) =>
        credentials.HasClientCertificate ? new ScriptedExchange(initial: Encoding.UTF8.GetBytes(credentials.AuthorizationId)) : null;
}
