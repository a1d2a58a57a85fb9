using System.Runtime.CompilerServices;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>One search under way.</summary>
/// <param name="isOver">There is no time left.</param>
internal sealed class SearchRun(string directory, AuditQuery query, AuditCursor? after, Func<bool> isOver)
{
    /// <summary>Ids that are remembered, to show an event once that was written twice; the two stand close together.</summary>
    private const int MostIds = 65_536;

    private readonly AuditFilter filter = new(query);
    private readonly HashSet<string> ids = new(StringComparer.Ordinal);

    /// <summary>Where to go on; null when all has been looked at.</summary>
    public AuditCursor? Next { get; private set; }

    /// <summary>How far back was looked when the time was over; null if it was not.</summary>
    public DateTimeOffset? SearchedBackTo { get; private set; }

    /// <summary>
    /// What is known of a message stands before all that became of it, and that may be days: which messages are meant is looked up first.
    /// </summary>
    public async ValueTask LearnAsync(TimeSpan longestStay, CancellationToken ct)
    {
        if (!filter.LooksForMessages)
            return;
        var since = query.Since is { } at && at - DateTimeOffset.MinValue > longestStay ? at - longestStay : (DateTimeOffset?)null;
        var accepted = query with
        {
            Kinds = AuditKind.Mail,
            Since = since,
            Limit = int.MaxValue,
            Outcome = "accepted",
            AnyOutcome = [],
            Rule = null,
            Route = null,
            Category = null,
        };
        var run = new SearchRun(directory, accepted, after: null, isOver);
        await foreach (var audit in run.FindAsync(ct))
            filter.Learn(audit);
        SearchedBackTo = run.SearchedBackTo;
    }

    public async IAsyncEnumerable<AuditEvent> FindAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var left = query.Limit;
        foreach (var day in DaysFromNewest())
        {
            var scans = new List<(AuditFileName File, LogScan Scan)>();
            try
            {
                foreach (var file in day)
                    scans.Add((file, new LogScan(Path.Join(directory, file.ToString()), filter, after?.EndOf(file), isOver)));
                foreach (var (_, scan) in scans)
                    await scan.NextAsync(ct);
                while (!IsStopped(scans)
                    && scans.Select(static s => s.Scan).Where(static s => s.Current is not null)
                        .MaxBy(static s => s.Current!.At) is { } newest)
                {
                    if (left <= 0)
                    {
                        Next = CursorOf(day.Key, scans);
                        yield break;
                    }

                    var audit = newest.Current!;
                    await newest.NextAsync(ct);
                    if (IsNew(audit))
                    {
                        left--;
                        yield return audit;
                    }
                }

                if (IsStopped(scans))
                {
                    Next = CursorOf(day.Key, scans);
                    var reached = scans.Max(static s => s.Scan.StoppedAt ?? s.Scan.Current?.At ?? DateTimeOffset.MinValue);
                    SearchedBackTo = SearchedBackTo > reached ? SearchedBackTo : reached;
                    yield break;
                }
            }
            finally
            {
                foreach (var (_, scan) in scans)
                    await scan.DisposeAsync();
            }
        }
    }

    private static bool IsStopped(List<(AuditFileName File, LogScan Scan)> scans) => scans.Exists(static s => s.Scan.StoppedAt is not null);

    private static AuditCursor CursorOf(DateOnly day, List<(AuditFileName File, LogScan Scan)> scans) =>
        new(day, [.. scans.Select(static s => (s.File, s.Scan.Position, s.Scan.Taken))]);

    /// <summary>Only what is told of messages is ever written again.</summary>
    private bool IsNew(AuditEvent audit)
    {
        if (audit.Traits is not ({ BeginsMessage: true } or { ContinuesMessage: true }))
            return true;
        if (ids.Count >= MostIds)
            ids.Clear();
        return ids.Add(audit.Id);
    }

    private IEnumerable<IGrouping<DateOnly, AuditFileName>> DaysFromNewest()
    {
        var since = query.Since is { } at ? AuditFileName.DayOf(at) : DateOnly.MinValue;
        return AuditFileName.List(directory)
            .Where(
                name => query.Kinds.HasFlag(name.Kind)
                    && name.Day >= since
                    && (query.Until is null || name.Day <= AuditFileName.DayOf(query.Until.Value)))
            .Where(name => after is null || name.Day <= after.Day)
            .GroupBy(static name => name.Day)
            .OrderByDescending(static day => day.Key);
    }
}
