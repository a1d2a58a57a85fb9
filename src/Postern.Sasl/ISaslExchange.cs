namespace Postern.Sasl;

/// <summary>One authentication dialogue. It sees octets, never SMTP framing; used by one caller at a time.</summary>
public interface ISaslExchange
{
    /// <summary>
    /// Takes the client's next response, already base64-decoded. Null means that the client sent no initial response; empty is
    /// an empty response (<c>=</c> in SMTP). Never throws for anything that the client can send.
    /// </summary>
    ValueTask<SaslStep> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct);
}
