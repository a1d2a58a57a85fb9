using System.Text;

namespace Postern.Sasl.Client;

/// <summary>XOAUTH2 (Google's and Microsoft's form before RFC 7628).</summary>
public sealed class XOAuth2Client : ISaslClientMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static XOAuth2Client Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "XOAUTH2";

    /// <inheritdoc/>
    public bool ExposesSecret => true;

    /// <inheritdoc/>
    public ISaslClientExchange? TryStart(SaslClientCredentials credentials) =>
        credentials is { Token: { } token, User.Length: > 0 }
            && ClientText.IsToken(token.Reveal())
            && !credentials.User.Contains('\u0001', StringComparison.Ordinal)
            ? new BearerExchange(
                Encoding.UTF8.GetBytes($"user={credentials.User}\u0001auth=Bearer {token.Reveal()}\u0001\u0001"), acknowledgement: [])
            : null;
}
