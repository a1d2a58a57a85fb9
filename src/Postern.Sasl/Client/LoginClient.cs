using System.Text;

namespace Postern.Sasl.Client;

/// <summary>LOGIN (an expired draft): the user name, then the password, whatever the prompts say. It cannot carry an authorization identity.</summary>
public sealed class LoginClient : ISaslClientMechanism
{
    public static LoginClient Instance { get; } = new();

    public string Name => "LOGIN";

    public bool ExposesSecret => true;

    public ISaslClientExchange? TryStart(SaslClientCredentials credentials) =>
        credentials.AuthorizationId.Length == 0 && ClientText.Prepare(credentials) is var (user, password, _)
            ? new ScriptedExchange(initial: null, Encoding.UTF8.GetBytes(user), Encoding.UTF8.GetBytes(password))
            : null;
}
