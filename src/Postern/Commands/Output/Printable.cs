namespace Postern.Commands.Output;

/// <summary>Makes text that came from elsewhere safe to show: nothing in it can move the cursor, colour the screen or begin a line.</summary>
internal static class Printable
{
    public static string Line(string text) =>
        !text.Any(char.IsControl)
            ? text
            : string.Create(text.Length, text, static (chars, source) =>
            {
                for (var i = 0; i < chars.Length; i++)
                    chars[i] = char.IsControl(source[i]) ? '\uFFFD' : source[i];
            });
}
