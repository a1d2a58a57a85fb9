namespace Postern.Sasl.Verifiers;

/// <summary>Knows who may act as whom (the authorization identity of RFC 4422 §3.4.1).</summary>
public interface IAuthorizationGrants
{
    /// <summary>
    /// A match, with the canonical name of <paramref name="authorizationId"/>, when <paramref name="user"/> (canonical) may act as
    /// it. Asking for oneself in any spelling that the store regards as the same is always granted.
    /// </summary>
    ValueTask<LoginAnswer> ActAsAsync(string user, string authorizationId, CancellationToken ct);
}
