namespace Postern.Sasl.Client;

/// <summary>The client half of one SASL mechanism. Stateless and shared.</summary>
public interface ISaslClientMechanism
{
    /// <summary>The registered name, upper case.</summary>
    string Name { get; }

    /// <summary>
    /// True when a passive listener, or a server that is not who it seems, learns the secret: for protected and verified channels only.
    /// </summary>
    bool ExposesSecret { get; }

    /// <summary>Begins an exchange, or answers null when <paramref name="credentials"/> lack what this mechanism needs.</summary>
    ISaslClientExchange? TryStart(SaslClientCredentials credentials);
}

/// <summary>
/// One authentication dialogue, the client's side. Used by one caller at a time; never throws for anything that a server can send.
/// </summary>
public interface ISaslClientExchange : IDisposable
{
    /// <summary>
    /// Answers the server's next challenge, already base64-decoded. Null asks for the initial response: the answer's data is null in a
    /// mechanism where the server speaks first.
    /// </summary>
    SaslClientStep Next(ReadOnlyMemory<byte>? challenge);

    /// <summary>
    /// The first step may wait for a server of its own, such as a KDC, for many seconds: it should be made on a thread that nobody else
    /// needs.
    /// </summary>
    bool AsksElsewhere => false;

    /// <summary>
    /// Asked when the server says that the login succeeded: false when it has not proven itself as the mechanism demands, so that its word
    /// counts for nothing.
    /// </summary>
    bool MayTrustSuccess { get; }
}

/// <summary>What the client half answers to a challenge.</summary>
public abstract record SaslClientStep
{
    private SaslClientStep()
    {
    }

    /// <summary>Send this; null only at the start, where there is no initial response. Not yet base64-encoded.</summary>
    public sealed record Response(ReadOnlyMemory<byte>? Data) : SaslClientStep
    {
        internal static Response None { get; } = new(Data: null);

        internal static Response Empty { get; } = new(ReadOnlyMemory<byte>.Empty);
    }

    /// <summary>Cancel the exchange: the server broke the mechanism's rules, could not prove itself, or said why it refuses.</summary>
    public sealed record Cancel(string Reason) : SaslClientStep;
}
