using System.Collections.Immutable;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit.Onward;

/// <summary>The lines that follow a place, in the order of their times within a day, and the place behind them.</summary>
/// <param name="Lines">None where nothing new is there.</param>
/// <param name="Gaps">Files that were deleted before all of them had been read, with the octets that nobody will read any more.</param>
internal sealed record LogStretch(
    IReadOnlyList<LogLine> Lines, LogPlace Place, ImmutableArray<(AuditFileName File, long Octets)> Gaps)
{
    /// <summary>Octets of the lines that are read at once, about.</summary>
    private const int Most = 256 * 1024;

    /// <summary>There is probably more to read at once.</summary>
    public bool IsFull => Lines.Sum(static line => (long)line.Text.Length) >= Most / 4;

    /// <exception cref="IOException">The files cannot be read: that is not "nothing new".</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static async ValueTask<LogStretch> ReadAsync(string directory, LogPlace from, CancellationToken ct)
    {
        var names = AuditFileName.List(directory).ToHashSet();
        var files = from.Files.ToBuilder();
        var gaps = ImmutableArray.CreateBuilder<(AuditFileName File, long Octets)>();
        foreach (var (name, (at, length)) in from.Files.Where(file => !names.Contains(file.Key)))
        {
            files.Remove(name);
            if (length > at)
                gaps.Add((name, length - at));
        }

        var lines = new List<LogLine>();
        foreach (var day in names.GroupBy(static name => name.Day).OrderBy(static day => day.Key))
        {
            await ReadDayAsync(directory, day, files, lines, ct);
            if (lines.Count > 0)
                break;
        }

        return new LogStretch(lines, new LogPlace(files.ToImmutable()), gaps.DrainToImmutable());
    }

    private static async ValueTask ReadDayAsync(
        string directory,
        IEnumerable<AuditFileName> day,
        ImmutableDictionary<AuditFileName, (long At, long Length)>.Builder files,
        List<LogLine> lines,
        CancellationToken ct)
    {
        var heads = new List<LogHead>();
        foreach (var name in day)
        {
            var head = await LogHead.ReadAsync(Path.Join(directory, name.ToString()), name, files.GetValueOrDefault(name).At, ct);
            files[name] = (head.At, head.Length);
            if (head.HasLine)
                heads.Add(head);
        }

        // Behind a file of which there is more to read than is in memory, nobody knows whose line comes next.
        for (var octets = 0; octets < Most && !heads.Exists(static head => head.IsDry);)
        {
            if (heads.Where(static head => head.HasLine).MinBy(static head => head.Time) is not { } first)
                break;
            var line = first.Take();
            octets += line.Length;
            if (AuditEvents.Read(line) is { } audit)
                lines.Add(new LogLine(audit, line));
        }

        foreach (var head in heads)
            files[head.Name] = (head.At, head.Length);
    }
}
