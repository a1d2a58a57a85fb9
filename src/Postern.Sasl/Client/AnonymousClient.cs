namespace Postern.Sasl.Client;

/// <summary>ANONYMOUS (RFC 4505), with an empty trace. Never chosen unless it is allowed by name.</summary>
public sealed class AnonymousClient : ISaslClientMechanism
{
    /// <summary>The only instance; it holds no state.</summary>
    public static AnonymousClient Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "ANONYMOUS";

    /// <inheritdoc/>
    public bool ExposesSecret => false;

    /// <inheritdoc/>
    public ISaslClientExchange? TryStart(SaslClientCredentials credentials) => new ScriptedExchange(initial: []);
}
