using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Postern.Web.Access;

namespace Postern.Web.Doors;

/// <summary>
/// What a form of ours brings that changes something: it follows from the cookie of the session, which no other site can read. It outlives
/// no restart: a page that is older is loaded again.
/// </summary>
internal sealed class FormTokens
{
    public const string Field = "__token";

    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);

    /// <summary>Null where there is no session.</summary>
    public string? Of(HttpContext context) =>
        context.Request.Cookies.TryGetValue(SessionCookie.NameOf(context.Request.IsHttps), out var cookie)
            ? Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(cookie)))
            : null;

    /// <summary>Why it is not one of ours; null where it is.</summary>
    public string? WhyNot(HttpContext context, string? given) =>
        Of(context) is { } right
            && given is not null
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(right), Encoding.UTF8.GetBytes(given))
            ? null
            : "the form is older than this server or than your session";
}
