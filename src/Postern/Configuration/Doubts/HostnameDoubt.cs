using System.Net;
using System.Text.RegularExpressions;

namespace Postern.Configuration.Doubts;

/// <summary>
/// What other servers will hold against a hostname: they see it in EHLO, look it up, and refuse what leads nowhere (RFC 5321 §2.3.5 asks
/// for a full name).
/// </summary>
internal static partial class HostnameDoubt
{
    private const string Advice = "write one that leads back to this machine, such as mail.example.org";

    /// <summary>Null for a name that may well be right.</summary>
    public static string? Of(string name)
    {
        if (name is "localhost"
            || name.StartsWith("localhost.", StringComparison.Ordinal)
            || name.EndsWith(".localhost", StringComparison.Ordinal)
            || name.EndsWith(".localdomain", StringComparison.Ordinal))
            return $"'{name}' is every machine's name for itself: other servers refuse it in EHLO; {Advice}";
        if (IPAddress.TryParse(name.Trim('[', ']'), out _))
            return $"'{name}' is an address and no name: other servers refuse it in EHLO; {Advice}";
        if (ContainerId().IsMatch(name))
            return $"'{name}' looks like the id of a container, which changes with each: other servers refuse it in EHLO; {Advice}";
        return name.Contains('.', StringComparison.Ordinal)
            ? null
            : $"'{name}' has no dot: other servers refuse it in EHLO, as it cannot be looked up; {Advice}";
    }

    [GeneratedRegex("^(?:[0-9a-f]{12}|[0-9a-f]{64})$", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ContainerId();
}
