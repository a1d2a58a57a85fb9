namespace Postern.Sasl.Client;

/// <summary>ANONYMOUS (RFC 4505), with an empty trace. Never chosen unless it is allowed by name.</summary>
public sealed class AnonymousClient : ISaslClientMechanism
{
    public static AnonymousClient Instance { get; } = new();

    public string Name => "ANONYMOUS";

    public bool ExposesSecret => false;

    public ISaslClientExchange? TryStart(SaslClientCredentials credentials) => new ScriptedExchange(initial: []);
}
