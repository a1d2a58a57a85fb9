using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Postern.Relay.Audit;

/// <summary>
/// Where a search goes on that has shown the newer events: a file and an offset for each kind of one day; older days are whole.
/// </summary>
public sealed class AuditCursor
{
    private readonly ImmutableArray<(AuditFileName File, long End)> ends;

    internal AuditCursor(DateOnly day, ImmutableArray<(AuditFileName File, long End)> ends)
    {
        Day = day;
        this.ends = ends;
    }

    internal DateOnly Day { get; }

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out AuditCursor? cursor)
    {
        cursor = null;
        var parts = ImmutableArray.CreateBuilder<(AuditFileName File, long End)>();
        foreach (var part in text.Split(','))
        {
            var colon = part.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0
                || AuditFileName.Parse(part[..colon] + AuditFileName.Extension) is not { } file
                || !long.TryParse(part.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var end)
                || (parts.Count > 0 && parts[0].File.Day != file.Day))
                return false;
            parts.Add((file, end));
        }

        cursor = new AuditCursor(parts[0].File.Day, parts.ToImmutable());
        return true;
    }

    /// <summary>As an operator hands it back: <c>mail-2026-11-20:123456</c>.</summary>
    public override string ToString() => string.Join(
        ',',
        ends.Select(
            static part => string.Create(
                CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(part.File.ToString())}:{part.End}")));

    /// <summary>Null: the whole file.</summary>
    internal long? EndOf(AuditFileName file)
    {
        foreach (var (name, end) in ends)
        {
            if (name == file)
                return end;
        }

        return null;
    }
}
