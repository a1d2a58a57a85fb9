using System.Collections.Concurrent;
using Postern.Relay.Accounts;

namespace Postern.Relay.Policy;

/// <summary>
/// The access tables of one policy, each read once and again when its file changes, which is looked at once a second. One that cannot be
/// read any more, or has a line that does not read, counts as it was before; one that never could be read says nothing at all.
/// </summary>
internal sealed class AccessTables(TimeProvider clock)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<(string Path, AccessSubject Subject), Kept> tables = [];

    /// <exception cref="IOException">There is no table: the message says why.</exception>
    public async ValueTask<AccessTable> FindAsync(string path, AccessSubject subject, CancellationToken ct)
    {
        var kept = tables.GetOrAdd((path, subject), static key => new Kept(key.Path, key.Subject));
        return kept.Table is { } table && clock.GetElapsedTime(kept.LookedAt) < Look ? table : await kept.ReadAsync(clock, ct);
    }

    private sealed class Kept(string path, AccessSubject subject)
    {
        private readonly SemaphoreSlim turn = new(1);
        private FileStamp? stamp;
        private string? problem;

        public AccessTable? Table { get; private set; }

        /// <summary>A timestamp of the clock.</summary>
        public long LookedAt { get; private set; }

        public async ValueTask<AccessTable> ReadAsync(TimeProvider clock, CancellationToken ct)
        {
            // Whoever has one goes on with it while another looks.
            if (Table is { } known && turn.CurrentCount == 0)
                return known;
            await turn.WaitAsync(ct);
            try
            {
                if ((Table is null && problem is null) || clock.GetElapsedTime(LookedAt) >= Look)
                {
                    var now = FileStamp.Of(path);
                    if (now != stamp || (Table is null && problem is null))
                        await Task.Run(() => Read(now), ct);
                    LookedAt = clock.GetTimestamp();
                }

                return Table ?? throw new IOException(problem);
            }
            finally
            {
                turn.Release();
            }
        }

        private void Read(FileStamp? now)
        {
            try
            {
                Table = AccessTable.Read(File.ReadLines(path), subject);
                problem = null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                problem = $"{path}: {e.Message}";
            }

            stamp = now;
        }
    }
}
