using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Postern.Sasl;

namespace Postern.Web.Access;

/// <summary>
/// What a browser shows in place of the password: 256 random bits. Over TLS the name binds it to this host (RFC 6265bis §4.1.3.2);
/// without, it is for this machine only.
/// </summary>
internal static class SessionCookie
{
    public const string OverTls = "__Host-postern";
    public const string OnLoopback = "postern-local";

    private const int Octets = 32;

    /// <summary>Of 32 octets, in base64 for a URL without the padding.</summary>
    private const int Length = 43;

    public static string NameOf(bool isTls) => isTls ? OverTls : OnLoopback;

    public static Secret Generate() => new(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Octets)));

    /// <summary>
    /// What is kept of it: SHA-256. False for a text that was never given out, such as one with line ends in it: nobody is asked about it.
    /// </summary>
    public static bool TryHash(string cookie, [NotNullWhen(true)] out byte[]? hash)
    {
        hash = null;
        if (cookie.Length != Length || !cookie.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            return false;
        hash = SHA256.HashData(Encoding.ASCII.GetBytes(cookie));
        return true;
    }

    /// <summary>How it is set: out of reach of scripts and of other sites, gone when the session is.</summary>
    public static CookieOptions Options(bool isTls, DateTimeOffset expires) => new()
    {
        HttpOnly = true,
        Secure = isTls,
        SameSite = SameSiteMode.Strict,
        Path = "/",
        Expires = expires,
        IsEssential = true,
    };
}
