using System.Diagnostics.CodeAnalysis;

namespace Postern.Sasl.Digest;

/// <summary>digest-response (RFC 2831 §2.1.2), as far as qop=auth goes.</summary>
/// <param name="Realm">Empty when absent (§2.1.2).</param>
/// <param name="AuthorizationId">Empty when absent.</param>
internal sealed record DigestResponse(
    string User, string Realm, string Nonce, string ClientNonce, string Count, string Uri, string Proof, string AuthorizationId)
{
    public static bool TryRead(DigestDirectives said, [NotNullWhen(true)] out DigestResponse? response, out string problem)
    {
        response = null;
        problem = said.Realms.Count > 1 ? "more than one realm"
            : said["qop"] is not (null or "auth") || said["cipher"] is not null ? "a quality of protection that was not offered"
            : string.Empty;
        if (problem.Length > 0)
            return false;
        problem = "a directive is missing or has no such value";
        if (said["username"] is not { } user || said["nonce"] is not { } nonce || said["cnonce"] is not { Length: > 0 } clientNonce)
            return false;
        if (said["nc"] is not { Length: 8 } count
            || said["digest-uri"] is not { Length: > 0 } uri
            || said["response"] is not { Length: 32 } proof)
            return false;
        response = new DigestResponse(
            user, said["realm"] ?? string.Empty, nonce, clientNonce, count, uri, proof, said["authzid"] ?? string.Empty);
        return true;
    }
}
