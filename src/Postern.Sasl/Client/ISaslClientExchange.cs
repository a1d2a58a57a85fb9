namespace Postern.Sasl.Client;

/// <summary>One authentication dialogue, the client's side. Used by one caller at a time; never throws for anything that a server can send.</summary>
public interface ISaslClientExchange : IDisposable
{
    /// <summary>
    /// Answers the server's next challenge, already base64-decoded. Null asks for the initial response: the answer's data is null in a mechanism
    /// where the server speaks first.
    /// </summary>
    SaslClientStep Next(ReadOnlyMemory<byte>? challenge);

    /// <summary>
    /// Asked when the server says that the login succeeded: false when it has not proven itself as the mechanism demands, so that its word
    /// counts for nothing.
    /// </summary>
    bool MayTrustSuccess { get; }
}
