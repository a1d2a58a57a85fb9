using System.Diagnostics.CodeAnalysis;

namespace Postern.Sasl.Scram;

/// <summary>
/// saslname (RFC 5802 §5.1, RFC 5801 §4): <c>,</c> is written <c>=2C</c> and <c>=</c> is <c>=3D</c>; no other use of <c>=</c>.
/// </summary>
internal static class SaslName
{
    public static string Encode(string name) =>
        name.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal);

    public static bool TryDecode(string text, [NotNullWhen(true)] out string? name)
    {
        name = text;
        if (!text.Contains('=', StringComparison.Ordinal))
            return true;
        var decoded = text.Replace("=2C", ",", StringComparison.Ordinal);
        var isWhole = text.Count(static c => c == '=') == Count(text, "=2C") + Count(text, "=3D");
        name = isWhole ? decoded.Replace("=3D", "=", StringComparison.Ordinal) : null;
        return isWhole;
    }

    private static int Count(string text, string part) =>
        (text.Length - text.Replace(part, string.Empty, StringComparison.Ordinal).Length) / part.Length;
}
