using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Postern.Relay.Accounts.OAuth;

/// <summary>The keys of an issuer (RFC 7517 §5). Keys of kinds that are of no use here are left out.</summary>
internal sealed record WebKeySet(ImmutableArray<WebKey> Keys)
{
    public const int MaxOctets = 1024 * 1024;

    private const int MaxKeys = 100;

    public static bool TryParse(ReadOnlyMemory<byte> json, [NotNullWhen(true)] out WebKeySet? set, out string problem)
    {
        set = null;
        problem = "it is not a JSON object with a list 'keys'";
        try
        {
            using var document = TokenJson.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
                return false;
            ImmutableArray<WebKey> usable = [.. keys.EnumerateArray().Take(MaxKeys).Select(WebKey.Read).OfType<WebKey>()];
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
    public IEnumerable<WebKey> Candidates(string? id, SignatureAlgorithm algorithm) =>
        Keys.Where(k => k.Fits(algorithm) && (id is null || k.Id is null || string.Equals(k.Id, id, StringComparison.Ordinal)));
}
