using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Postern.Sasl;

namespace Postern.Interop.Tests.Upstreams;

/// <summary>JSON web tokens (RFC 7519) as the upstream's Dovecot takes them.</summary>
internal static class BearerToken
{
    public static Secret For(string user, byte[] key)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var signed = $$"""{"alg":"HS256","typ":"JWT"}""" switch
        {
            var header => $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(Encoding.UTF8.GetBytes($$"""{"sub":"{{user}}","iat":{{now - 10}},"exp":{{now + 600}}}"""))}",
        };
        return new Secret($"{signed}.{Encode(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(signed)))}");
    }

    private static string Encode(byte[] octets) => Base64Url.EncodeToString(octets);
}
