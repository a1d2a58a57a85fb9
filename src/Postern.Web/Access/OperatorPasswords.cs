using System.Globalization;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Sasl;

namespace Postern.Web.Access;

/// <summary>What the password of an operator must be, beside what every password must be.</summary>
internal static class OperatorPasswords
{
    /// <summary>In code points.</summary>
    public const int MinLength = 12;

    private const int LeastDistinct = 5;

    private static readonly HashSet<string> Bad = Read();

    /// <summary>Why it is refused, or null when it is good. The answer never quotes it.</summary>
    /// <param name="name">Of the operator.</param>
    public static string? Problem(Secret password, string name)
    {
        if (PasswordRules.Problem(password) is { } problem)
            return problem;
        var text = password.Reveal().Normalize(NormalizationForm.FormKC).ToLowerInvariant();
        if (text.EnumerateRunes().Count() < MinLength)
            return string.Create(CultureInfo.InvariantCulture, $"the password is too short: it needs at least {MinLength} characters");
        if (IsGuessed(text))
            return "the password is one of those that are tried first; a few words that do not belong together are better";
        return name.Length > 3 && text.Replace(name, string.Empty, StringComparison.OrdinalIgnoreCase).Length < MinLength - 4
            ? "the password is little more than the name"
            : null;
    }

    private static bool IsGuessed(string text) =>
        Bad.Contains(text)
        || Bad.Contains(text.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '!', '.', '?', '#', '$', '*', '@'))
        || text.Distinct().Count() < LeastDistinct
        || IsOnePieceAgain(text)
        || IsRun(text);

    /// <summary>One piece again and again: <c>abcd12abcd12</c>.</summary>
    private static bool IsOnePieceAgain(string text) => (text + text).IndexOf(text, 1, StringComparison.Ordinal) < text.Length;

    /// <summary>Each character is the next one of the last: <c>abcdefghijkl</c>, <c>987654321098</c>.</summary>
    private static bool IsRun(string text)
    {
        var steps = 0;
        for (var i = 1; i < text.Length; i++)
            steps += Math.Abs(text[i] - text[i - 1]) is 1 or 9 ? 1 : 0;
        return steps >= text.Length - 2;
    }

    private static HashSet<string> Read()
    {
        using var stream = typeof(OperatorPasswords).Assembly.GetManifestResourceStream("bad-passwords")!;
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
    }
}
