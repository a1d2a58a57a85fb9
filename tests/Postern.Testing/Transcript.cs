using System.Globalization;
using System.Text;

namespace Postern.Testing;

/// <summary>
/// A recorded dialogue that is a specification. Lines:
/// <c># key: value</c> sets up the server, and what a key can be the player says; <c>C: text</c> is sent with CRLF,
/// <c>C&gt; text</c> without, <c>C* n text</c> n times without CRLF;
/// consecutive client lines are one pipelined group; <c>S: text</c> is expected, <c>*</c> matches anything,
/// <c>S+ text</c> a whole reply by its last line; <c>= tls</c> shakes hands, <c>= eof</c> is
/// the client's half-close, <c>= closed</c> expects the server's; what else may stand behind <c>=</c> is the player's to say too.
/// Escapes in client text and content: <c>\r \n \0 \t \\ \xHH</c>.
/// </summary>
public sealed record Transcript(string Name, IReadOnlyDictionary<string, string> Setup, IReadOnlyList<TranscriptLine> Lines)
{
    /// <param name="file">Its name without the extension is the transcript's.</param>
    public static Transcript Load(string file)
    {
        Dictionary<string, string> setup = [];
        List<TranscriptLine> lines = [];
        foreach (var text in File.ReadLines(file))
        {
            if (text.Length == 0 || text.StartsWith("##", StringComparison.Ordinal))
                continue;
            if (text[0] == '#')
            {
                var colon = text.IndexOf(':', StringComparison.Ordinal);
                setup[text[1..colon].Trim()] = text[(colon + 1)..].Trim();
                continue;
            }

            var start = text[0] == '=' ? 2 : 3;
            lines.Add(new TranscriptLine(text[..2], text.Length > start ? text[start..] : string.Empty));
        }

        return new Transcript(Path.GetFileNameWithoutExtension(file), setup, lines);
    }

    public static byte[] Unescape(string text)
    {
        using var octets = new MemoryStream();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                octets.Write(Encoding.UTF8.GetBytes(text, i, 1));
                continue;
            }

            i++;
            octets.WriteByte(text[i] switch
            {
                'r' => (byte)'\r',
                'n' => (byte)'\n',
                't' => (byte)'\t',
                '0' => 0,
                '\\' => (byte)'\\',
                'x' => byte.Parse(text.AsSpan(i + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                var other => throw new FormatException($"unknown escape \\{other}"),
            });
            if (text[i] == 'x')
                i += 2;
        }

        return octets.ToArray();
    }
}
