namespace Postern.Sasl.Client;

/// <summary>What a server said, made fit for a log: printable US-ASCII, and not much of it.</summary>
internal static class ServerText
{
    private const int MaxLength = 200;

    public static string Printable(string text) =>
        string.Create(Math.Min(text.Length, MaxLength), text, static (chars, source) =>
        {
            for (var i = 0; i < chars.Length; i++)
                chars[i] = source[i] is >= ' ' and <= '~' ? source[i] : '?';
        });
}
