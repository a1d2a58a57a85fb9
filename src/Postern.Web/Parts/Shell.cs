using Postern.Relay.Audit;

namespace Postern.Web.Parts;

/// <summary>
/// Makes lines to be pasted into a shell. A value from the network stays one word of it, and none of its characters means anything there.
/// </summary>
public static class Shell
{
    /// <summary>A command with options; those without a value are left out.</summary>
    public static string Line(string command, params ReadOnlySpan<(string Option, string? Value)> options)
    {
        var line = command;
        foreach (var (option, value) in options)
        {
            if (!string.IsNullOrEmpty(value))
                line += value[0] == '-' ? $" {option}={Quote(value)}" : $" {option} {Quote(value)}";
        }

        return line;
    }

    public static string Quote(string value)
    {
        var printable = PrintableText.Of(value);
        return printable.Length > 0 && printable[0] != '-' && printable.All(IsPlain)
            ? printable
            : $"'{printable.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '@' or '.' or '-' or '_' or ':' or '/' or '+' or '%';
}
