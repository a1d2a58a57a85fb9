using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>
/// A signed token in compact form (RFC 7515 §3.1, RFC 7519), taken apart and not yet believed. Microsoft.IdentityModel verifies the
/// signature; what it lets pass is refused here before: a critical header, a member that comes twice, spellings of base64url that are not
/// the one of RFC 7515 §2.
/// </summary>
/// <param name="Text">The token as it came.</param>
/// <param name="KeyId"><c>kid</c>: a name to compare, never a path; null where there is none.</param>
internal sealed record SignedToken(string Text, string Algorithm, string? KeyId, JsonElement Claims)
{
    private const int MaxLength = 12 * 1024;

    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = MaxLength, MapInboundClaims = false };

    /// <summary>
    /// What becomes of the signature. Unreadable: a known member of the header or the claims is of another type than RFC 7519 says.
    /// </summary>
    public enum Verdict
    {
        Wrong,
        Unreadable,
        Good,
    }

    public static bool TryParse(string token, [NotNullWhen(true)] out SignedToken? parsed, out string problem)
    {
        parsed = null;
        problem = "the token is not a signed JWT in three parts";
        if (token.Length > MaxLength || token.Split('.') is not [var first, var second, var third])
            return false;
        if (Octets(first) is not { } header || Octets(second) is not { } payload || Octets(third) is null)
            return false;
        try
        {
            using var head = TokenJson.Parse(header);
            using var body = TokenJson.Parse(payload);
            if (head.RootElement.ValueKind != JsonValueKind.Object || body.RootElement.ValueKind != JsonValueKind.Object)
                return false;
            if (TokenClaims.Text(head.RootElement, "alg") is not { } algorithm || !TokenIssuer.AllAlgorithms.Contains(algorithm))
            {
                problem = "the token is signed by an algorithm that is not accepted";
                return false;
            }

            if (head.RootElement.TryGetProperty("crit", out _))
            {
                problem = "the token has a critical header that is not understood";
                return false;
            }

            var keyId = head.RootElement.TryGetProperty("kid", out var kid)
                ? kid.ValueKind == JsonValueKind.String ? kid.GetString() : string.Empty
                : null;
            parsed = new SignedToken(token, algorithm, keyId, body.RootElement.Clone());
            return true;
        }
        catch (JsonException)
        {
            problem = "the token's header or claims are not JSON";
            return false;
        }
    }

    /// <summary>
    /// Whether one of the keys has signed it, by the algorithm that it names. Its claims are for <see cref="TokenClaims"/> to judge.
    /// </summary>
    public async ValueTask<Verdict> VerifyAsync(IReadOnlyList<JsonWebKey> keys)
    {
        var result = await Handler.ValidateTokenAsync(Text, new TokenValidationParameters
        {
            RequireSignedTokens = true,
            ValidAlgorithms = [Algorithm],
            IssuerSigningKeyResolver = (_, _, _, _) => keys,
            ValidateIssuer = false,
            ValidateAudience = false,
            ValidateLifetime = false,
            LogValidationExceptions = false,
        });
        return result.IsValid ? Verdict.Good : result.Exception is ArgumentException ? Verdict.Unreadable : Verdict.Wrong;
    }

    /// <summary>Strict: no padding, no white space, no other alphabet, unused bits zero, so that a token has one spelling.</summary>
    private static byte[]? Octets(string text)
    {
        if (text.Length == 0 || !Ascii.IsValid(text) || !Base64Url.IsValid(text))
            return null;
        try
        {
            var octets = Base64Url.DecodeFromChars(text);
            return Base64Url.EncodeToString(octets) == text ? octets : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
