using System.Globalization;
using System.Text;
using Postern.Sasl.Scram;

namespace Postern.Sasl.Client;

/// <summary>OAUTHBEARER (RFC 7628).</summary>
public sealed class OAuthBearerClient : ISaslClientMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static OAuthBearerClient Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "OAUTHBEARER";

    /// <inheritdoc/>
    public bool ExposesSecret => true;

    /// <inheritdoc/>
    public ISaslClientExchange? TryStart(SaslClientCredentials credentials)
    {
        if (credentials.Token is not { } token
            || !ClientText.IsToken(token.Reveal())
            || ClientText.HoldsNul(credentials.AuthorizationId, credentials.User))
            return null;
        var actAs = credentials.AuthorizationId.Length > 0 ? credentials.AuthorizationId : credentials.User;
        var text = new StringBuilder("n,").Append(actAs.Length > 0 ? "a=" + SaslName.Encode(actAs) : string.Empty).Append(",\u0001");
        if (credentials.Host.Length > 0)
            text.Append("host=").Append(credentials.Host).Append('\u0001');
        if (credentials.Port > 0)
            text.Append("port=").Append(credentials.Port.ToString(CultureInfo.InvariantCulture)).Append('\u0001');
        text.Append("auth=Bearer ").Append(token.Reveal()).Append("\u0001\u0001");
        return new BearerExchange(Encoding.UTF8.GetBytes(text.ToString()), acknowledgement: [1]);
    }
}
