namespace Postern.Sasl.Verifiers;

/// <summary>Maps Kerberos principals to users (GSSAPI, RFC 4752).</summary>
public interface IKerberosUsers
{
    /// <summary>Says which user <paramref name="principal"/>, such as <c>lisa@EXAMPLE.ORG</c>, is; its ticket has been verified.</summary>
    ValueTask<LoginAnswer> FindPrincipalAsync(string principal, CancellationToken ct);
}
