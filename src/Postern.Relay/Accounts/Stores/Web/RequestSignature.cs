using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl;

namespace Postern.Relay.Accounts.Stores.Web;

/// <summary>
/// The signature of a request: HMAC-SHA-256 over five lines without a line end behind the last one (<c>v1</c>, the timestamp, the method,
/// the path, the SHA-256 of the body in hexadecimal digits), in two header fields. Each body holds a number of its own, so no two requests
/// have one signature.
/// </summary>
internal static class RequestSignature
{
    /// <summary>Seconds since 1970.</summary>
    public const string TimestampField = "Postern-Timestamp";

    /// <summary><c>v1=</c> and the signature in hexadecimal digits.</summary>
    public const string SignatureField = "Postern-Signature";

    private const string Version = "v1";

    public static void Sign(HttpRequestMessage request, ReadOnlySpan<byte> body, Secret key, DateTimeOffset now)
    {
        var timestamp = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        request.Headers.Add(TimestampField, timestamp);
        request.Headers.Add(SignatureField, Of(timestamp, request.Method.Method, request.RequestUri!.AbsolutePath, body, key));
    }

    public static string Of(string timestamp, string method, string path, ReadOnlySpan<byte> body, Secret key)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(body));
        var text = string.Join('\n', Version, timestamp, method, path, digest);
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(key.Reveal()), Encoding.UTF8.GetBytes(text));
        return $"{Version}={Convert.ToHexStringLower(signature)}";
    }
}
