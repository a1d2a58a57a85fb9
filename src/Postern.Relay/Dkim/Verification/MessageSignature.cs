using System.Collections.Immutable;
using System.Globalization;

namespace Postern.Relay.Dkim.Verification;

/// <summary>
/// A signature over header fields and a body, as a field has it: a DKIM-Signature (RFC 6376 §3.5) or an ARC-Message-Signature (RFC 8617
/// §4.1.2), which are alike.
/// </summary>
/// <param name="Field">Where it stands in the header.</param>
/// <param name="Domain">The tag <c>d=</c>, in A-labels.</param>
internal sealed record MessageSignature(Range Field, DkimAlgorithm Algorithm, string Domain, string Selector)
{
    /// <summary>Names beyond that no program signs; each costs a look.</summary>
    private const int MostNames = 1000;

    public required ImmutableArray<string> Names { get; init; }

    public required byte[] BodyHash { get; init; }

    public required byte[] Value { get; init; }

    public DkimCanonicalization Header { get; private init; }

    public DkimCanonicalization Body { get; private init; }

    /// <summary>The tag <c>l=</c>: so many octets of the body are signed; null for all.</summary>
    public long? Length { get; private init; }

    /// <summary>The tag <c>x=</c>; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; private init; }

    /// <summary>The domain of the tag <c>i=</c>; that of <c>d=</c> where it has none.</summary>
    public string AgentDomain { get; private init; } = string.Empty;

    /// <summary>The first letters of its value, by which it is told from others of the same key (RFC 6008).</summary>
    public string Start => Convert.ToBase64String(Value)[..8];

    /// <summary>Null with the reason where the field cannot be read as one.</summary>
    /// <param name="isDkim">False: it is of ARC, where <c>i=</c> is an instance, and there is no <c>v=</c>.</param>
    public static MessageSignature? Read(Range field, Dictionary<string, string>? tags, bool isDkim, out string? problem)
    {
        problem = tags is null ? "the field is no list of tags" : null;
        if (tags is null)
            return null;
        if (isDkim && tags.GetValueOrDefault("v") != "1")
            problem = "no v=1";
        else if (AlgorithmOf(tags) is null)
            problem = "an algorithm that is not used any more, or not known";
        else if (!TryNames(tags, out var domain, out var selector))
            problem = "no domain or selector";
        else if (NamesOf(tags) is not { } names || (isDkim && !names.Contains("from", StringComparer.OrdinalIgnoreCase)))
            problem = "From is not signed";
        else if (TagList.Octets(tags.GetValueOrDefault("bh")) is not { Length: 32 } bodyHash
            || TagList.Octets(tags.GetValueOrDefault("b")) is not { Length: >= 6 } value)
            problem = "no hash or no signature";
        else if (CanonicalizationOf(tags.GetValueOrDefault("c", "simple/simple")) is not var (header, body))
            problem = "a canonicalization that is not known";
        else if (!TryNumber(tags, "l", out var length)
            || !TryNumber(tags, "x", out var expires)
            || !TryNumber(tags, "t", out var made)
            || expires <= made)
            problem = "a number that is none";
        else if (tags.TryGetValue("q", out var ways) && !ways.Split(':').Contains("dns/txt", StringComparer.OrdinalIgnoreCase))
            problem = "a key that is not in DNS";
        else
        {
            var identity = isDkim && tags.TryGetValue("i", out var agent)
                ? agent[(agent.LastIndexOf('@') + 1)..].ToLowerInvariant()
                : domain;
            if (identity != domain && !identity.EndsWith("." + domain, StringComparison.Ordinal))
                problem = "i= is not of the domain";
            return problem is not null ? null : new MessageSignature(field, AlgorithmOf(tags)!.Value, domain, selector)
            {
                Names = names,
                BodyHash = bodyHash,
                Value = value,
                Header = header,
                Body = body,
                Length = length,
                ExpiresAt = expires is { } at ? DateTimeOffset.FromUnixTimeSeconds(Math.Min(at, 253_402_300_799)) : null,
                AgentDomain = identity,
            };
        }

        return null;
    }

    /// <summary>The tag <c>a=</c>; null for SHA-1 (RFC 8301 §3.1) and for what is not known.</summary>
    public static DkimAlgorithm? AlgorithmOf(Dictionary<string, string> tags) => tags.GetValueOrDefault("a")?.ToLowerInvariant() switch
    {
        "rsa-sha256" => DkimAlgorithm.Rsa,
        "ed25519-sha256" => DkimAlgorithm.Ed25519,
        _ => null,
    };

    /// <summary>The tags <c>d=</c> and <c>s=</c>, which lead to the key.</summary>
    public static bool TryNames(Dictionary<string, string> tags, out string domain, out string selector)
    {
        (domain, selector) = (string.Empty, tags.GetValueOrDefault("s", string.Empty).ToLowerInvariant());
        if (!Smtp.Grammar.Domain.TryParse(tags.GetValueOrDefault("d", string.Empty), out var parsed)
            || parsed.Literal is not null
            || !Smtp.Grammar.Domain.TryParse(selector, out var label)
            || label.Literal is not null)
            return false;
        (domain, selector) = (parsed.Text, label.Text);
        return true;
    }

    private static ImmutableArray<string>? NamesOf(Dictionary<string, string> tags) =>
        tags.GetValueOrDefault("h", string.Empty).Split(':', StringSplitOptions.RemoveEmptyEntries)
            is { Length: > 0 and <= MostNames } names
            ? [.. names]
            : null;

    private static (DkimCanonicalization Header, DkimCanonicalization Body)? CanonicalizationOf(string text)
    {
        var parts = text.ToLowerInvariant().Split('/');
        return parts.Length <= 2 && One(parts[0]) is { } header && One(parts.Length == 2 ? parts[1] : "simple") is { } body
            ? (header, body)
            : null;
    }

    private static DkimCanonicalization? One(string word) => word switch
    {
        "relaxed" => DkimCanonicalization.Relaxed,
        "simple" => DkimCanonicalization.Simple,
        _ => null,
    };

    private static bool TryNumber(Dictionary<string, string> tags, string name, out long? number)
    {
        number = null;
        if (!tags.TryGetValue(name, out var text))
            return true;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed))
            return false;
        number = parsed;
        return true;
    }
}
