namespace Postern.Sasl;

/// <summary>The server half of one SASL mechanism (RFC 4422): a name and a way to begin. Stateless and shared.</summary>
public interface ISaslMechanism
{
    /// <summary>The registered name, upper case: <c>PLAIN</c>, <c>SCRAM-SHA-256</c>. 1 to 20 of A-Z 0-9 - _ (RFC 4422 §3.1).</summary>
    string Name { get; }

    /// <summary>True when a passive listener learns the secret: not to be offered on an unprotected channel.</summary>
    bool ExposesSecret { get; }

    /// <summary>
    /// True when the client speaks first, so that it may send an initial response. LOGIN is server-first on paper, yet clients
    /// send the user name with it.
    /// </summary>
    bool TakesInitialResponse { get; }

    /// <summary>True for mechanisms that are offered only where they are asked for by name: weak ones, and those with a catch.</summary>
    bool IsOptIn => false;

    /// <summary>Begins an exchange, or answers null when <paramref name="context"/> lacks a verifier that this mechanism needs.</summary>
    ISaslExchange? TryStart(SaslContext context);
}

/// <summary>
/// One authentication dialogue. It sees octets, never SMTP framing; used by one caller at a time. One that is <see cref="IDisposable"/> too
/// is disposed when it is over, also where the client has left.
/// </summary>
public interface ISaslExchange
{
    /// <summary>
    /// Takes the client's next response, already base64-decoded. Null means that the client sent no initial response; empty is
    /// an empty response (<c>=</c> in SMTP). Never throws for anything that the client can send.
    /// </summary>
    ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct);
}
