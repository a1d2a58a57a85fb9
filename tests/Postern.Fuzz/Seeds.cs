using System.Globalization;
using System.Text;

namespace Postern.Fuzz;

/// <summary>The client's side of every transcript, as octets.</summary>
internal static class Seeds
{
    /// <summary>Longer ones are tests of limits, which repetition finds again.</summary>
    private const int MaxOctets = 3000;

    /// <summary>The setup line of a transcript, and all that its client says.</summary>
    public static IReadOnlyList<(string Setup, byte[] Octets)> Transcripts { get; } =
        [.. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Transcripts"), "*.smtp").Order(StringComparer.Ordinal).Select(Read).Where(static s => s.Octets.Length is > 0 and <= MaxOctets)];

    public static byte[][] Of(params IEnumerable<string> texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    private static (string Setup, byte[] Octets) Read(string file)
    {
        var setup = new StringBuilder();
        using var octets = new MemoryStream();
        foreach (var line in File.ReadLines(file))
        {
            if (line.StartsWith("# ", StringComparison.Ordinal))
                setup.Append(line).Append('\n');
            else if (line.StartsWith("C:", StringComparison.Ordinal))
                octets.Write([.. Unescape(line.Length > 3 ? line[3..] : string.Empty), (byte)'\r', (byte)'\n']);
            else if (line.StartsWith("C>", StringComparison.Ordinal))
                octets.Write(Unescape(line.Length > 3 ? line[3..] : string.Empty));
        }

        return (setup.ToString(), octets.ToArray());
    }

    private static byte[] Unescape(string text)
    {
        var octets = new List<byte>();
        for (var i = 0; i < text.Length; i++)
        {
            var isEscape = text[i] == '\\' && i + 1 < text.Length;
            if (isEscape && text[i + 1] == 'x' && i + 3 < text.Length && byte.TryParse(text.AsSpan(i + 2, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var octet))
            {
                octets.Add(octet);
                i += 3;
            }
            else if (isEscape)
            {
                octets.Add(text[++i] switch { 'r' => 13, 'n' => 10, 't' => 9, '0' => 0, var other => (byte)other });
            }
            else
            {
                octets.AddRange(Encoding.UTF8.GetBytes(text, i, 1));
            }
        }

        return [.. octets];
    }
}
