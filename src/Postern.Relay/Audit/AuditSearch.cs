using System.Runtime.CompilerServices;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// Finds events in the files of <see cref="JsonLinesAuditLog"/>, while they are written or after. Lines that are no events are passed
/// over. Texts come back as they were received: whoever shows them on a terminal uses <see cref="PrintableText"/>.
/// </summary>
/// <param name="directory">Where the files are; a directory that is not there holds no events, one that cannot be read throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.</param>
public sealed class AuditSearch(string directory)
{
    /// <summary>How long after its acceptance something is still heard of a message: longer than any queue keeps one.</summary>
    private static readonly TimeSpan LongestStay = TimeSpan.FromDays(14);

    /// <summary>The newest event first, over all kinds asked for.</summary>
    public async IAsyncEnumerable<AuditEvent> FindAsync(AuditQuery query, [EnumeratorCancellation] CancellationToken ct)
    {
        var filter = new AuditFilter(query);
        if (filter.LooksForMessages)
        {
            // What is known of a message stands before all that became of it, and that may be days.
            var accepted = query with { Kinds = AuditKind.Mail, Since = query.Since - LongestStay, Limit = int.MaxValue, Outcome = "accepted" };
            await foreach (var audit in FindAsync(accepted, new AuditFilter(accepted), ct))
                filter.Learn(audit);
        }

        await foreach (var audit in FindAsync(query, filter, ct))
            yield return audit;
    }

    private async IAsyncEnumerable<AuditEvent> FindAsync(AuditQuery query, AuditFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        var left = query.Limit;
        foreach (var day in DaysFromNewest(query))
        {
            await foreach (var audit in MergeAsync([.. day], filter, ct))
            {
                if (left-- <= 0)
                    yield break;
                yield return audit;
            }
        }
    }

    private IEnumerable<IGrouping<DateOnly, AuditFileName>> DaysFromNewest(AuditQuery query)
    {
        var since = query.Since is { } at ? AuditFileName.DayOf(at) : DateOnly.MinValue;
        return AuditFileName.List(directory)
            .Where(name => query.Kinds.HasFlag(name.Kind) && name.Day >= since && (query.Until is null || name.Day <= AuditFileName.DayOf(query.Until.Value)))
            .GroupBy(static name => name.Day)
            .OrderByDescending(static day => day.Key);
    }

    /// <summary>Interleaves the files of one day: each is read from its end, and the newest event at hand goes next.</summary>
    private async IAsyncEnumerable<AuditEvent> MergeAsync(AuditFileName[] names, AuditFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        var heads = new List<IAsyncEnumerator<AuditEvent>>();
        try
        {
            foreach (var name in names)
            {
                var events = ReadAsync(Path.Join(directory, name.ToString()), filter, ct).GetAsyncEnumerator(ct);
                if (await events.MoveNextAsync())
                    heads.Add(events);
                else
                    await events.DisposeAsync();
            }

            while (heads.MaxBy(static events => events.Current.At) is { } newest)
            {
                yield return newest.Current;
                if (await newest.MoveNextAsync())
                    continue;
                heads.Remove(newest);
                await newest.DisposeAsync();
            }
        }
        finally
        {
            foreach (var events in heads)
                await events.DisposeAsync();
        }
    }

    private static async IAsyncEnumerable<AuditEvent> ReadAsync(string path, AuditFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        if (!File.Exists(path))
            yield break;
        await foreach (var line in LinesFromEnd.ReadAsync(path, ct))
        {
            if (filter.Match(line) is { } audit)
                yield return audit;
        }
    }
}
