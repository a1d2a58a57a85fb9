using Microsoft.AspNetCore.Http;

namespace Postern.Web.Access;

/// <summary>
/// Whether a browser sent something because one of our own pages asked it to. What no browser says of itself counts as foreign: a program
/// has a key, and needs no cookie.
/// </summary>
internal static class OwnOrigin
{
    public static bool IsOf(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"] is [{ } site])
            return site == "same-origin" && request.Headers["Sec-Fetch-Mode"].ToString() != "no-cors";
        // Browsers before 2023, and those that speak without TLS to another machine.
        return request.Headers["Sec-Fetch-Site"].Count == 0
            && request.Headers.Origin is [{ } origin]
            && origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
    }
}
