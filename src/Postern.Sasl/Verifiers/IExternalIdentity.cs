namespace Postern.Sasl.Verifiers;

/// <summary>Knows who the client is by other means than this exchange, such as its TLS certificate (EXTERNAL, RFC 4422 appendix A).</summary>
public interface IExternalIdentity
{
    /// <summary>Says which user the client of this connection is.</summary>
    ValueTask<LoginAnswer> IdentifyAsync(CancellationToken ct);
}
