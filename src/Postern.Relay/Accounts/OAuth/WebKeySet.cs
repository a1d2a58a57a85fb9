using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>
/// The public keys of an issuer (RFC 7517 §5) that can verify a signature: RSA of 2,048 to 8,192 bits, or EC on the three curves of RFC
/// 7518. Keys of other kinds are left out.
/// </summary>
internal sealed record WebKeySet(ImmutableArray<JsonWebKey> Keys)
{
    public const int MaxOctets = 1024 * 1024;

    private const int MaxKeys = 100;
    private const int LeastRsaBits = 2048;
    private const int MostRsaBits = 8192;

    /// <summary>Eight octets in base64url: a larger one only makes verifying slow.</summary>
    private const int MaxExponent = 11;

    public static bool TryParse(ReadOnlyMemory<byte> json, [NotNullWhen(true)] out WebKeySet? set, out string problem)
    {
        set = null;
        problem = "it is not a JSON object with a list 'keys'";
        try
        {
            using var document = TokenJson.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("keys", out var keys)
                || keys.ValueKind != JsonValueKind.Array)
                return false;
            ImmutableArray<JsonWebKey> usable = [.. keys.EnumerateArray().Take(MaxKeys).Select(Read).OfType<JsonWebKey>()];
            problem = "it holds no RSA or EC signature key that can be used";
            set = usable.IsEmpty ? null : new WebKeySet(usable);
            return set is not null;
        }
        catch (JsonException e)
        {
            problem = $"it is not JSON: {e.Message}";
            return false;
        }
    }

    /// <summary>The keys that may have signed: those of that id, or without an id all of the kind.</summary>
    /// <param name="algorithm">One of <see cref="TokenIssuer.AllAlgorithms"/>.</param>
    public IEnumerable<JsonWebKey> Candidates(string? id, string algorithm) =>
        Keys.Where(k => Fits(k, algorithm) && (id is null || k.Kid is null || string.Equals(k.Kid, id, StringComparison.Ordinal)));

    private static bool Fits(JsonWebKey key, string algorithm) => (key.Alg is null || key.Alg == algorithm) && algorithm switch
    {
        SecurityAlgorithms.EcdsaSha256 => key.Crv == JsonWebKeyECTypes.P256,
        SecurityAlgorithms.EcdsaSha384 => key.Crv == JsonWebKeyECTypes.P384,
        SecurityAlgorithms.EcdsaSha512 => key.Crv == JsonWebKeyECTypes.P521,
        _ => key.Kty == JsonWebAlgorithmsKeyTypes.RSA,
    };

    /// <summary>
    /// Null for a key that is of no use here. Only the numbers of a key are taken: no certificate that comes with it is looked at.
    /// </summary>
    private static JsonWebKey? Read(JsonElement json)
    {
        try
        {
            var read = new JsonWebKey(json.GetRawText());
            if (read.Use is not (null or JsonWebKeyUseNames.Sig))
                return null;
            return read.Kty switch
            {
                JsonWebAlgorithmsKeyTypes.RSA when read.E is { Length: > 0 and <= MaxExponent }
                    && read.KeySize is >= LeastRsaBits and <= MostRsaBits =>
                    new JsonWebKey { Kid = read.Kid, Alg = read.Alg, Kty = read.Kty, N = read.N, E = read.E },
                JsonWebAlgorithmsKeyTypes.EllipticCurve
                    when read.Crv is JsonWebKeyECTypes.P256 or JsonWebKeyECTypes.P384 or JsonWebKeyECTypes.P521
                        && read is { X.Length: > 0, Y.Length: > 0 } =>
                    new JsonWebKey { Kid = read.Kid, Alg = read.Alg, Kty = read.Kty, Crv = read.Crv, X = read.X, Y = read.Y },
                _ => null,
            };
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            return null;
        }
    }
}
