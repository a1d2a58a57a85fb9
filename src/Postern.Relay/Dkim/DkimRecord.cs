using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;

namespace Postern.Relay.Dkim;

/// <summary>The key record of a selector in DNS (RFC 6376 §3.6.1, RFC 8463 §4).</summary>
public static class DkimRecord
{
    /// <summary>One string of a TXT record (RFC 1035 §3.3.14).</summary>
    private const int MostOfOneString = 255;

    /// <summary>Where the record stands, without the final dot.</summary>
    public static string NameOf(string domain, string selector) => $"{selector}._domainkey.{domain}";

    /// <summary>What it says.</summary>
    public static string TextOf(DkimAlgorithm algorithm, ReadOnlySpan<byte> publicKey) =>
        $"v=DKIM1; k={algorithm.Word()}; p={Convert.ToBase64String(publicKey)}";

    /// <summary>The same in strings that a TXT record can hold.</summary>
    public static ImmutableArray<string> Split(string text) =>
        [.. text.Chunk(MostOfOneString).Select(static chunk => new string(chunk))];

    /// <summary>The record as a zone file has it.</summary>
    public static string ZoneLine(string name, string text)
    {
        var strings = Split(text);
        return strings.Length == 1
            ? $"{name}. IN TXT \"{strings[0]}\""
            : $"{name}. IN TXT (\n{string.Concat(strings.Select(static s => $"    \"{s}\"\n"))})";
    }

    /// <summary>Compares what DNS has with a key.</summary>
    /// <param name="texts">The TXT records of the name, the strings of each joined.</param>
    internal static DkimDnsAnswer Judge(IReadOnlyList<string> texts, DkimAlgorithm algorithm, ReadOnlySpan<byte> publicKey)
    {
        if (texts.Count == 0)
            return new DkimDnsAnswer.Missing("there is no TXT record of that name");
        if (texts.Count > 1)
            return new DkimDnsAnswer.Different(string.Create(
                CultureInfo.InvariantCulture, $"{texts.Count} TXT records stand there, and verifiers take any of them: leave one"));
        var tags = TagsOf(texts[0]);
        if (tags is null)
            return new DkimDnsAnswer.Different($"what stands there is no key record: {Start(texts[0])}");
        if (tags.TryGetValue("v", out var version) && version != "DKIM1")
            return new DkimDnsAnswer.Different($"it has v={version}: DKIM1 is the only version");
        if (!tags.TryGetValue("p", out var key))
            return new DkimDnsAnswer.Different("it has no p=, the key");
        if (key.Length == 0)
            return new DkimDnsAnswer.Different("its p= is empty: it says that the key is revoked");
        if (tags.GetValueOrDefault("k", "rsa") is var kind && kind != algorithm.Word())
            return new DkimDnsAnswer.Different($"it has k={kind}, and the key is of {algorithm.Word()}");
        if (tags.TryGetValue("h", out var hashes) && !Lists(hashes, "sha256"))
            return new DkimDnsAnswer.Different($"it has h={hashes}, and signatures are over sha256");
        if (tags.TryGetValue("s", out var services) && !Lists(services, "email") && !Lists(services, "*"))
            return new DkimDnsAnswer.Different($"it has s={services}, which is not for mail");
        return Holds(key, algorithm, publicKey)
            ? new DkimDnsAnswer.Shown(tags.TryGetValue("t", out var flags) && Lists(flags, "y"))
            : new DkimDnsAnswer.Different("its p= is another key, or a part of this one: see that every string of the record was pasted");
    }

    /// <summary>The tags of a list (RFC 6376 §3.2), without white space in their values; null where it is none.</summary>
    internal static Dictionary<string, string>? TagsOf(string text)
    {
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        var parts = text.Split(';');
        for (var i = 0; i < parts.Length; i++)
        {
            var part = parts[i].Trim();
            if (part.Length == 0 && i == parts.Length - 1)
                break;
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !tags.TryAdd(part[..equals].TrimEnd(), string.Concat(part[(equals + 1)..].Split((char[]?)null))))
                return null;
        }

        return tags.Count == 0 ? null : tags;
    }

    private static bool Lists(string list, string word) => list.Split(':').Contains(word, StringComparer.OrdinalIgnoreCase);

    private static bool Holds(string base64, DkimAlgorithm algorithm, ReadOnlySpan<byte> publicKey)
    {
        var octets = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, octets, out var length))
            return false;
        var shown = octets.AsSpan(0, length);
        if (shown.SequenceEqual(publicKey))
            return true;
        if (algorithm != DkimAlgorithm.Rsa)
            return false;
        // RFC 6376 §3.6.1 names the bare RSAPublicKey as well, and verifiers take both.
        try
        {
            using var rsa = RSA.Create();
            rsa.ImportRSAPublicKey(shown, out var read);
            return read == length && rsa.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(publicKey);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static string Start(string text) => text.Length <= 60 ? text : $"{text[..60]}...";
}

/// <summary>What DNS shows of a key.</summary>
public abstract record DkimDnsAnswer(string Words)
{
    /// <summary>Verifiers find the key.</summary>
    /// <param name="IsTesting">The record has <c>t=y</c>: verifiers treat signed mail as unsigned.</param>
    public sealed record Shown(bool IsTesting)
        : DkimDnsAnswer(IsTesting ? "shown, with t=y: verifiers treat its signatures as none" : "shown");

    public sealed record Missing(string Words) : DkimDnsAnswer(Words);

    /// <summary>Something else stands there.</summary>
    public sealed record Different(string Words) : DkimDnsAnswer(Words);

    /// <summary>DNS did not answer: nothing is known.</summary>
    public sealed record Unavailable(string Words) : DkimDnsAnswer(Words);
}
