using System.Globalization;
using System.Text;
using Postern.Sasl;
using Postern.Sasl.Preparation;

namespace Postern.Relay.Accounts;

/// <summary>What a password that a person chose must be.</summary>
public static class PasswordRules
{
    /// <summary>In code points, prepared.</summary>
    public const int MinLength = 8;

    /// <summary>In code points; RFC 4616 §2 knows no longer ones.</summary>
    public const int MaxLength = 255;

    /// <summary>Why <paramref name="password"/> is refused, or null when it is good. The answer never quotes it.</summary>
    public static string? Problem(Secret password)
    {
        var text = password.Reveal();
        if (!IsUnicode(text))
            return "the password is not valid text";
        if (text.Any(char.IsControl))
            return "the password contains a control character (is there a line end or a tab in it?)";
        if (!PasswordText.TryPrepare(text, out var prepared))
            return "the password contains something that does not show, such as a mark of writing direction, "
                + "or a code point without a meaning of its own: it may have come along when it was pasted";
        return prepared.EnumerateRunes().Count() switch
        {
            < MinLength =>
                string.Create(CultureInfo.InvariantCulture, $"the password is too short: it needs at least {MinLength} characters"),
            > MaxLength => string.Create(CultureInfo.InvariantCulture, $"the password is too long: it may have {MaxLength} characters"),
            _ => null,
        };
    }

    private static bool IsUnicode(string text)
    {
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var length) != System.Buffers.OperationStatus.Done)
                return false;
            rest = rest[length..];
        }

        return true;
    }
}
