namespace Postern.Sasl.Verifiers;

/// <summary>
/// Knows who the client is by other means than this exchange, such as its TLS certificate (EXTERNAL, RFC 4422 appendix A).
/// </summary>
public interface IExternalIdentity
{
    /// <summary>Says which user the client of this connection is.</summary>
    ValueTask<LoginAnswer> IdentifyAsync(CancellationToken ct);
}

/// <summary>Maps Kerberos principals to users (GSSAPI, RFC 4752).</summary>
public interface IKerberosUsers
{
    /// <summary>Says which user <paramref name="principal"/>, such as <c>lisa@EXAMPLE.ORG</c>, is; its ticket has been verified.</summary>
    ValueTask<LoginAnswer> FindPrincipalAsync(string principal, CancellationToken ct);
}
