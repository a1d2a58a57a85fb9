using System.Security.Cryptography;
using System.Text;

namespace Postern.Sasl.Digest;

/// <summary>The arithmetic of DIGEST-MD5 (RFC 2831 §2.1.2), for qop=auth.</summary>
internal static class DigestFunctions
{
    public const int Size = MD5.HashSizeInBytes;

#pragma warning disable CA5351 // RFC 2831 is MD5; the mechanism is off unless it is asked for by name
    /// <summary>H(user:realm:password), what a server stores.</summary>
    public static byte[] Secret(string user, string realm, string password) =>
        MD5.HashData([.. Encode(user), (byte)':', .. Encoding.UTF8.GetBytes(realm), (byte)':', .. Encode(password)]);

    /// <param name="method"><c>AUTHENTICATE</c> for the client's proof, empty for the server's.</param>
    public static string Response(
        ReadOnlySpan<byte> secret, string nonce, string clientNonce, string count, string uri, string authorizationId, string method)
    {
        byte[] session =
        [
            .. secret,
            .. Encoding.UTF8.GetBytes($":{nonce}:{clientNonce}{(authorizationId.Length > 0 ? ":" + authorizationId : string.Empty)}"),
        ];
        var first = Convert.ToHexStringLower(MD5.HashData(session));
        var second = Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes($"{method}:{uri}")));
        return Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes($"{first}:{nonce}:{count}:{clientNonce}:auth:{second}")));
    }
#pragma warning restore CA5351

    /// <summary>
    /// A user or a password that ISO 8859-1 can write is hashed in it, so that clients with and without UTF-8 agree (§2.1.2.1).
    /// </summary>
    private static byte[] Encode(string text) =>
        text.All(static c => c <= 'ÿ') ? Encoding.Latin1.GetBytes(text) : Encoding.UTF8.GetBytes(text);
}
