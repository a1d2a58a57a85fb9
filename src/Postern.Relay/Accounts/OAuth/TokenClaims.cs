using System.Text.Json;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>
/// Whether the claims of a token are for us and for now (RFC 7519 §4.1), and whose they are. The signature, or the issuer, has spoken
/// before.
/// </summary>
internal static class TokenClaims
{
    /// <summary>The user, or why not.</summary>
    public static (string? User, string? Problem) Read(JsonElement claims, TokenIssuer issuer, DateTimeOffset now, bool needsIssuer)
    {
        if (Text(claims, "iss") is var said && (said is null ? needsIssuer : said != issuer.Issuer))
            return (null, "the token is from another issuer");
        if (!Holds(claims, "aud", issuer.Audience))
            return (null, $"the token is not for the audience '{issuer.Audience}'");
        if (Expiry(claims) is not { } expires)
            return (null, "the token does not say when it expires, or not as a date");
        if (now - issuer.Leeway >= expires) // the sum may be no date
            return (null, $"the token expired at {expires:u}");
        if (claims.TryGetProperty("nbf", out _) && !(Time(claims, "nbf") <= now + issuer.Leeway))
            return (null, "the token is not valid yet");
        if (issuer.Scope is { } scope && !HasScope(claims, scope))
            return (null, $"the token lacks the scope '{scope}'");
        return Text(claims, issuer.UserClaim) is { Length: > 0 } user
            ? (user, null)
            : (null, $"the token has no claim '{issuer.UserClaim}'");
    }

    /// <summary>From then on the token is none.</summary>
    public static DateTimeOffset? Expiry(JsonElement claims) => Time(claims, "exp");

    /// <summary>For choosing the issuer only; nothing is believed of it yet.</summary>
    public static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Holds(JsonElement claims, string name, string wanted) =>
        claims.TryGetProperty(name, out var value)
        && (value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray().Any(v => v.ValueKind == JsonValueKind.String && v.GetString() == wanted)
            : value.ValueKind == JsonValueKind.String && value.GetString() == wanted);

    /// <summary><c>scope</c> (RFC 8693 §4.2) is one text with spaces; some issuers write <c>scp</c>, as text or list.</summary>
    private static bool HasScope(JsonElement claims, string wanted) =>
        (Text(claims, "scope") ?? Text(claims, "scp"))?.Split(' ').Contains(wanted, StringComparer.Ordinal) ?? Holds(claims, "scp", wanted);

    /// <summary>NumericDate (RFC 7519 §2); null for what is none, or outside of what a calendar holds.</summary>
    private static DateTimeOffset? Time(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out var seconds)
            && seconds is > 0 and < 253_402_300_799
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
            : null;
}
