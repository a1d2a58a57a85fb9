using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// Finds events in the files of <see cref="JsonLinesAuditLog"/>, while they are written or after. Lines that are no events are passed over,
/// and of two with the same id (one was written again after a crash) one is shown. Texts come back as they were received: whoever shows
/// them on a terminal uses <see cref="PrintableText"/>.
/// </summary>
/// <param name="directory">
/// Where the files are; a directory that is not there holds no events, one that cannot be read throws <see cref="IOException"/> or
/// <see cref="UnauthorizedAccessException"/>.
/// </param>
public sealed class AuditSearch(string directory)
{
    /// <summary>How long after its acceptance something is still heard of a message: longer than any queue keeps one.</summary>
    private static readonly TimeSpan LongestStay = TimeSpan.FromDays(14);

    /// <summary>The newest event first, over all kinds asked for; all there are.</summary>
    public async IAsyncEnumerable<AuditEvent> FindAsync(AuditQuery query, [EnumeratorCancellation] CancellationToken ct)
    {
        var run = new SearchRun(directory, query, after: null, static () => false);
        await run.LearnAsync(LongestStay, ct);
        await foreach (var audit in run.FindAsync(ct))
            yield return audit;
    }

    /// <summary>The newest events first, as many as the query's limit says and as can be found in the time there is.</summary>
    /// <param name="after">Where an earlier page ended; null to begin with the newest.</param>
    /// <param name="most">The time there is.</param>
    public async ValueTask<AuditPage> PageAsync(
        AuditQuery query, AuditCursor? after, TimeSpan most, TimeProvider clock, CancellationToken ct)
    {
        var begun = clock.GetTimestamp();
        var run = new SearchRun(directory, query, after, () => clock.GetElapsedTime(begun) >= most);
        await run.LearnAsync(LongestStay, ct);
        var found = ImmutableArray.CreateBuilder<AuditEvent>();
        await foreach (var audit in run.FindAsync(ct))
            found.Add(audit);
        return new AuditPage(found.ToImmutable(), run.Next, run.SearchedBackTo);
    }
}

/// <summary>What a search has found in the time it had.</summary>
/// <param name="Events">The newest first.</param>
/// <param name="Next">Where to go on; null when there is nothing older.</param>
/// <param name="SearchedBackTo">How far back it looked before its time was over; null when that did not end it.</param>
public sealed record AuditPage(ImmutableArray<AuditEvent> Events, AuditCursor? Next, DateTimeOffset? SearchedBackTo);
