using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Postern.Relay.Audit;

/// <summary>
/// Where a search goes on that has shown the newer events: a file and an offset for each kind of one day; older days are whole.
/// </summary>
public sealed class AuditCursor
{
    private readonly ImmutableArray<(AuditFileName File, long End, int Taken)> ends;

    internal AuditCursor(DateOnly day, ImmutableArray<(AuditFileName File, long End, int Taken)> ends)
    {
        Day = day;
        this.ends = ends;
    }

    internal DateOnly Day { get; }

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out AuditCursor? cursor)
    {
        cursor = null;
        var parts = ImmutableArray.CreateBuilder<(AuditFileName File, long End, int Taken)>();
        foreach (var part in text.Split(','))
        {
            var colon = part.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0
                || AuditFileName.Parse(part[..colon] + AuditFileName.Extension) is not { } file
                || !TryParseEnd(part.AsSpan(colon + 1), out var end, out var taken)
                || (parts.Count > 0 && parts[0].File.Day != file.Day))
                return false;
            parts.Add((file, end, taken));
        }

        cursor = new AuditCursor(parts[0].File.Day, parts.ToImmutable());
        return true;
    }

    /// <summary>
    /// As an operator hands it back: <c>mail-2026-11-20:123456</c>; <c>mail-2026-11-20:123456+3</c> where the line before holds several
    /// events and three of them have been shown.
    /// </summary>
    public override string ToString() => string.Join(',', ends.Select(static part => string.Create(
        CultureInfo.InvariantCulture,
        $"{Path.GetFileNameWithoutExtension(part.File.ToString())}:{part.End}{(part.Taken > 0 ? $"+{part.Taken}" : null)}")));

    /// <summary>Null: the whole file.</summary>
    internal (long At, int Taken)? EndOf(AuditFileName file)
    {
        foreach (var (name, end, taken) in ends)
        {
            if (name == file)
                return (end, taken);
        }

        return null;
    }

    private static bool TryParseEnd(ReadOnlySpan<char> text, out long end, out int taken)
    {
        var plus = text.IndexOf('+');
        taken = 0;
        return long.TryParse(plus < 0 ? text : text[..plus], NumberStyles.None, CultureInfo.InvariantCulture, out end)
            && (plus < 0 || int.TryParse(text[(plus + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out taken));
    }
}
