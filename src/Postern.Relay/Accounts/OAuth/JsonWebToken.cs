using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>A signed token in compact form (RFC 7515 §3.1, RFC 7519), taken apart and not yet believed.</summary>
internal sealed class JsonWebToken
{
    private const int MaxLength = 12 * 1024;

    private readonly byte[] signed;
    private readonly byte[] signature;

    private JsonWebToken(SignatureAlgorithm algorithm, string? keyId, JsonElement claims, byte[] signed, byte[] signature)
    {
        Algorithm = algorithm;
        KeyId = keyId;
        Claims = claims;
        this.signed = signed;
        this.signature = signature;
    }

    public SignatureAlgorithm Algorithm { get; }

    public string? KeyId { get; }

    public JsonElement Claims { get; }

    public static bool TryParse(string token, [NotNullWhen(true)] out JsonWebToken? parsed, out string problem)
    {
        parsed = null;
        problem = "the token is not a signed JWT in three parts";
        var parts = token.Split('.');
        if (token.Length > MaxLength || parts.Length != 3)
            return false;
        if (!Base64Url.TryDecode(parts[0], out var header) || !Base64Url.TryDecode(parts[1], out var payload) || !Base64Url.TryDecode(parts[2], out var signature))
            return false;
        try
        {
            using var head = TokenJson.Parse(header);
            using var body = TokenJson.Parse(payload);
            if (head.RootElement.ValueKind != JsonValueKind.Object || body.RootElement.ValueKind != JsonValueKind.Object)
                return false;
            if (!head.RootElement.TryGetProperty("alg", out var name) || name.ValueKind != JsonValueKind.String || !SignatureAlgorithm.All.TryGetValue(name.GetString()!, out var algorithm))
            {
                problem = "the token is signed by an algorithm that is not accepted";
                return false;
            }

            if (head.RootElement.TryGetProperty("crit", out _))
            {
                problem = "the token has a critical header that is not understood";
                return false;
            }

            var keyId = head.RootElement.TryGetProperty("kid", out var kid) ? kid.ValueKind == JsonValueKind.String ? kid.GetString() : string.Empty : null;
            parsed = new JsonWebToken(algorithm, keyId, body.RootElement.Clone(), Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), signature);
            return true;
        }
        catch (JsonException)
        {
            problem = "the token's header or claims are not JSON";
            return false;
        }
    }

    public bool IsSignedBy(WebKey key) => key.Verifies(Algorithm, signed, signature);
}
