using System.Text;

namespace Postern.Sasl.Client;

/// <summary>PLAIN (RFC 4616).</summary>
public sealed class PlainClient : ISaslClientMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static PlainClient Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "PLAIN";

    /// <inheritdoc/>
    public bool ExposesSecret => true;

    /// <inheritdoc/>
    public ISaslClientExchange? TryStart(SaslClientCredentials credentials) =>
        ClientText.Prepare(credentials) is var (user, password, actAs) && !ClientText.HoldsNul(user, password, actAs)
            ? new ScriptedExchange(initial: Encoding.UTF8.GetBytes($"{actAs}\0{user}\0{password}"))
            : null;
}
