using System.Collections.Immutable;
using System.Globalization;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Tls.Sts;

/// <summary>An MTA-STS policy (RFC 8461 §3.2).</summary>
/// <param name="Mx">Host names; <c>*.</c> at the beginning stands for one label.</param>
internal sealed record StsPolicy(StsMode Mode, TimeSpan MaxAge, ImmutableArray<string> Mx)
{
    /// <summary>More patterns than any receiver has hosts: a policy is kept, and compared with for each message.</summary>
    private const int MaxPatterns = 500;

    private const int MaxAgeDigits = 10;

    private static readonly TimeSpan LongestAge = TimeSpan.FromSeconds(31_557_600);

    /// <summary>Reads the text of a policy; the problem where it is none.</summary>
    public static (StsPolicy? Policy, string? Problem) Parse(string text)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        var mx = ImmutableArray.CreateBuilder<string>();
        foreach (var line in text.Split('\n').Select(static l => l.TrimEnd('\r').Trim(' ', '\t')).Where(static l => l.Length > 0))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                return (null, "a line without ':'");
            var (key, value) = (line[..colon].TrimEnd(' ', '\t'), line[(colon + 1)..].Trim(' ', '\t'));
            // Of a key that comes twice the first counts (§3.2); unknown ones are for later versions.
            if (key == "mx")
                mx.Add(value.ToLowerInvariant());
            else
                fields.TryAdd(key, value);
        }

        if (fields.GetValueOrDefault("version") != "STSv1")
            return (null, "no 'version: STSv1'");
        StsMode? mode = fields.GetValueOrDefault("mode") switch
        {
            "enforce" => StsMode.Enforce,
            "testing" => StsMode.Testing,
            "none" => StsMode.None,
            _ => null,
        };
        if (mode is not { } known)
            return (null, "no 'mode' of enforce, testing or none");
        if (fields.GetValueOrDefault("max_age") is not { Length: <= MaxAgeDigits } age
            || !long.TryParse(age, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return (null, "no 'max_age' in seconds");
        if (mx.Count > MaxPatterns)
            return (null, $"more than {MaxPatterns} 'mx'");
        if (mx.FirstOrDefault(static pattern => !IsPattern(pattern)) is { } wrong)
            return (null, $"'mx: {CertificateNames.Visible(wrong)}' is no host name");
        return known != StsMode.None && mx.Count == 0
            ? (null, "no 'mx'")
            : (new StsPolicy(known, TimeSpan.FromSeconds(Math.Min(seconds, LongestAge.TotalSeconds)), mx.ToImmutable()), null);
    }

    /// <summary>As it is written.</summary>
    public ImmutableArray<string> Lines =>
    [
        "version: STSv1",
        $"mode: {StsKept.WordOf(Mode)}",
        .. Mx.Select(static pattern => $"mx: {pattern}"),
        string.Create(CultureInfo.InvariantCulture, $"max_age: {(long)MaxAge.TotalSeconds}"),
    ];

    /// <summary>Whether a host may have the domain's mail (RFC 8461 §4.1).</summary>
    public bool Allows(string host)
    {
        host = host.TrimEnd('.');
        foreach (var pattern in Mx)
        {
            if (pattern.Equals(host, StringComparison.OrdinalIgnoreCase))
                return true;
            if (pattern.StartsWith("*.", StringComparison.Ordinal)
                && host.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
                && host.AsSpan(dot).Equals(pattern.AsSpan(1), StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static bool IsPattern(string pattern)
    {
        var name = pattern.StartsWith("*.", StringComparison.Ordinal) ? pattern[2..] : pattern;
        return Domain.TryParse(name, out var domain) && domain.Literal is null;
    }
}

/// <summary>How much a policy counts (RFC 8461 §5).</summary>
internal enum StsMode
{
    /// <summary>The domain takes its policy back.</summary>
    None,

    /// <summary>What it forbids is done, and reported.</summary>
    Testing,

    /// <summary>What it forbids is not done.</summary>
    Enforce,
}
