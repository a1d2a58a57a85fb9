using System.Text;

namespace Postern.Sasl.Client;

/// <summary>
/// LOGIN (an expired draft): the user name, then the password, whatever the prompts say. It cannot carry an authorization identity.
/// </summary>
public sealed class LoginClient : ISaslClientMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static LoginClient Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "LOGIN";

    /// <inheritdoc/>
    public bool ExposesSecret => true;

    /// <inheritdoc/>
    public ISaslClientExchange? TryStart(SaslClientCredentials credentials) =>
        credentials.AuthorizationId.Length == 0 && ClientText.Prepare(credentials) is var (user, password, _)
            ? new ScriptedExchange(initial: null, Encoding.UTF8.GetBytes(user), Encoding.UTF8.GetBytes(password))
            : null;
}
