using System.Collections.Concurrent;
using Postern.Relay.Accounts;

namespace Postern.Relay.Policy.Access;

/// <summary>
/// The access tables of one policy, each read once and again when its file changes, which is looked at once a second. One that cannot be
/// read any more, or has a line that does not read, counts as it was before; one that never could be read says nothing at all.
/// </summary>
internal sealed class AccessTables(TimeProvider clock)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<(string Path, AccessSubject Subject), Kept> tables = [];

    /// <exception cref="IOException">There is no table: the message says why.</exception>
    public ValueTask<AccessTable> FindAsync(string path, AccessSubject subject, CancellationToken ct) =>
        tables.GetOrAdd((path, subject), static (key, clock) => new Kept(key.Path, key.Subject, clock), clock).FindAsync(ct);

    private sealed class Kept(string path, AccessSubject subject, TimeProvider clock)
    {
        private readonly Lock gate = new();
        private Task? look;
        private long? lookedAt;
        private AccessTable? table;
        private FileStamp? stamp;
        private string? problem;

        public async ValueTask<AccessTable> FindAsync(CancellationToken ct)
        {
            Task begun;
            lock (gate)
            {
                if (lookedAt is { } at && clock.GetElapsedTime(at) < Look)
                    return Known();
                // Whoever has a table goes on with it while another looks.
                if (look is not null && table is { } known)
                    return known;
                begun = look ??= Task.Run(LookAgain, CancellationToken.None);
            }

            await begun.WaitAsync(ct);
            lock (gate)
                return Known();
        }

        private AccessTable Known() => table ?? throw new IOException(problem);

        private void LookAgain()
        {
            var (now, read, wrong) = (FileStamp.Of(path), (AccessTable?)null, (string?)null);
            if (now != stamp || table is null)
            {
                try
                {
                    read = AccessTable.Read(File.ReadLines(path), subject);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
                {
                    wrong = $"{path}: {e.Message}";
                }
            }

            lock (gate)
            {
                (stamp, lookedAt, look) = (now, clock.GetTimestamp(), null);
                (table, problem) = (read ?? table, wrong ?? problem);
            }
        }
    }
}
