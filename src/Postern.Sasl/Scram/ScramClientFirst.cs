using System.Diagnostics.CodeAnalysis;

namespace Postern.Sasl.Scram;

/// <summary>client-first-message (RFC 5802 §7).</summary>
/// <param name="Bare">What is signed: everything behind the header.</param>
/// <param name="User">Decoded, not yet prepared.</param>
internal sealed record ScramClientFirst(Gs2Header Header, string Bare, string User, string Nonce)
{
    /// <summary>More than any client's random text; what it sends comes back to it.</summary>
    private const int MaxNonce = 1024;

    public static bool TryParse(string message, [NotNullWhen(true)] out ScramClientFirst? first, out string problem)
    {
        first = null;
        if (!Gs2Header.TryTake(message, out var header, out var bare))
            return Fail("the GS2 header is malformed", out problem);
        var parts = bare.Split(',');
        if (parts[0].StartsWith("m=", StringComparison.Ordinal))
            return Fail("a mandatory extension that no version of SCRAM knows", out problem);
        if (parts.Length < 2
            || !parts[0].StartsWith("n=", StringComparison.Ordinal)
            || !parts[1].StartsWith("r=", StringComparison.Ordinal))
            return Fail("n= and r= are missing or out of order", out problem);
        if (!SaslName.TryDecode(parts[0][2..], out var user))
            return Fail("the user name is not a saslname", out problem);
        var nonce = parts[1][2..];
        if (!IsNonce(nonce) || !parts.Skip(2).All(IsExtension))
            return Fail("the nonce or an extension is malformed", out problem);
        first = new ScramClientFirst(header, bare, user, nonce);
        problem = string.Empty;
        return true;
    }

    /// <summary>Printable, without a comma.</summary>
    public static bool IsNonce(string text) =>
        text.Length is > 0 and <= MaxNonce
        && !text.AsSpan().ContainsAnyExceptInRange('!', '~')
        && !text.Contains(',', StringComparison.Ordinal);

    /// <summary>
    /// attr-val under a letter that is not taken: optional extensions are ignored, <c>m</c> and what stands out of place is an error
    /// (§5.1).
    /// </summary>
    public static bool IsExtension(string text) =>
        text.Length > 2 && char.IsAsciiLetter(text[0]) && text[1] == '=' && !"aceimnprsv".Contains(text[0], StringComparison.Ordinal);

    private static bool Fail(string what, out string problem)
    {
        problem = what;
        return false;
    }
}
