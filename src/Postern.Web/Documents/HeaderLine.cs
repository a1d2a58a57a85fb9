using System.Collections.Immutable;
using System.Text;

namespace Postern.Web.Documents;

/// <summary>One header field of a message.</summary>
/// <param name="Value">Unfolded, and not decoded: it says what it says.</param>
/// <param name="IsOurs">This server put it there: the topmost Received field and what stands above it.</param>
public sealed record HeaderLine(string Name, string Value, bool IsOurs)
{
    /// <summary>Octets of a message that are looked at.</summary>
    public const int MostOctets = 32 * 1024;

    /// <summary>Reads the beginning of a message. A line that is no field ends the header, as it does for who receives it.</summary>
    /// <param name="hasTrace">This server put a Received field on top.</param>
    public static ImmutableArray<HeaderLine> Read(ReadOnlySpan<byte> beginning, bool hasTrace = true)
    {
        var fields = new List<(string Name, StringBuilder Value)>();
        var text = Encoding.Latin1.GetString(beginning[..Math.Min(beginning.Length, MostOctets)]);
        foreach (var line in text.Split('\n').Select(static line => line.TrimEnd('\r')))
        {
            if (line.Length == 0)
                break;
            if (line[0] is ' ' or '\t')
            {
                if (fields.Count == 0)
                    break;
                fields[^1].Value.Append(' ').Append(line.TrimStart(' ', '\t'));
                continue;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                break;
            fields.Add((line[..colon], new StringBuilder(line[(colon + 1)..].TrimStart())));
        }

        var last = hasTrace ? fields.FindIndex(static f => f.Name.Equals("Received", StringComparison.OrdinalIgnoreCase)) : -1;
        return [.. fields.Select((field, i) => new HeaderLine(field.Name, Utf8Of(field.Value.ToString()), i <= last))];
    }

    /// <summary>Octets beyond ASCII are UTF-8 (RFC 6532) where they are; else each is shown as what it is in Latin 1.</summary>
    private static string Utf8Of(string octets)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Encoding.Latin1.GetBytes(octets));
        }
        catch (DecoderFallbackException)
        {
            return octets;
        }
    }
}

/// <summary>The header of a message that waits.</summary>
/// <param name="Items">In its order, as far as the first 32 KiB go.</param>
internal sealed record HeaderDocument(ImmutableArray<HeaderLine> Items);
