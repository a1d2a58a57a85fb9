namespace Postern.Sasl.Client;

/// <summary>The client half of one SASL mechanism. Stateless and shared.</summary>
public interface ISaslClientMechanism
{
    /// <summary>The registered name, upper case.</summary>
    string Name { get; }

    /// <summary>True when a passive listener, or a server that is not who it seems, learns the secret: for protected and verified channels only.</summary>
    bool ExposesSecret { get; }

    /// <summary>Begins an exchange, or answers null when <paramref name="credentials"/> lack what this mechanism needs.</summary>
    ISaslClientExchange? TryStart(SaslClientCredentials credentials);
}
