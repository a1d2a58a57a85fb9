using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>
/// Turns the U-labels of a domain into A-labels (RFC 5890, RFC 5891 §5). Only what comes back unchanged is taken: characters that a mapping
/// would replace or drop could make two names out of one, or one out of two.
/// </summary>
internal static class InternationalDomain
{
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    public static bool TryToAscii(ReadOnlySpan<byte> octets, [NotNullWhen(true)] out string? ascii)
    {
        ascii = null;
        if (!Utf8Text.IsAllowed(octets))
            return false;
        var labels = Encoding.UTF8.GetString(octets).Split('.');
        for (var i = 0; i < labels.Length; i++)
        {
            if (Ascii.IsValid(labels[i]))
                continue;
            if (ToALabel(Mailbox.Fold(labels[i])) is not { } label)
                return false;
            labels[i] = label;
        }

        ascii = string.Join('.', labels);
        return true;
    }

    private static string? ToALabel(string label)
    {
        try
        {
            var ascii = Idn.GetAscii(label);
            return ascii.StartsWith("xn--", StringComparison.Ordinal)
                && string.Equals(Idn.GetUnicode(ascii), label, StringComparison.Ordinal) ? ascii : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
