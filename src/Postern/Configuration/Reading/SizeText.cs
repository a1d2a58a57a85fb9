using System.Globalization;

namespace Postern.Configuration.Reading;

/// <summary>Sizes as people write them: <c>50MB</c> is 50,000,000 octets, <c>64KiB</c> is 65,536, a bare number is octets.</summary>
internal static class SizeText
{
    private static readonly (string Unit, long Octets)[] Units =
    [
        // From the largest on.
        ("TiB", 1L << 40), ("TB", 1_000_000_000_000), ("GiB", 1L << 30), ("GB", 1_000_000_000),
        ("MiB", 1L << 20), ("MB", 1_000_000), ("KiB", 1L << 10), ("KB", 1_000),
        ("B", 1),
    ];

    /// <summary>False for anything else, and for a size that does not fit into 63 bits.</summary>
    public static bool TryParse(string text, out long octets)
    {
        octets = 0;
        var (digits, factor) = (text, 1L);
        foreach (var (unit, size) in Units)
        {
            if (!text.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
                continue;
            (digits, factor) = (text[..^unit.Length].TrimEnd(), size);
            break;
        }

        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > long.MaxValue / factor)
            return false;
        octets = number * factor;
        return true;
    }

    /// <summary>The shortest exact spelling.</summary>
    public static string Format(long octets)
    {
        foreach (var (unit, size) in Units)
        {
            if (octets >= size && octets % size == 0)
                return string.Create(CultureInfo.InvariantCulture, $"{octets / size}{unit}");
        }

        return string.Create(CultureInfo.InvariantCulture, $"{octets}B");
    }
}
