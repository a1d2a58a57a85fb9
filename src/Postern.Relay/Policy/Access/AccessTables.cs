using System.Collections.Concurrent;

namespace Postern.Relay.Policy.Access;

/// <summary>The files that the rules of one policy look into.</summary>
internal sealed class AccessTables(TimeProvider clock)
{
    private readonly ConcurrentDictionary<(string Path, AccessSubject Subject), WatchedFile<AccessTable>> tables = [];
    private readonly ConcurrentDictionary<string, WatchedFile<NetworkTable<bool>>> networks = [];

    /// <exception cref="IOException">There is no table: the message says why.</exception>
    public ValueTask<AccessTable> FindAsync(string path, AccessSubject subject, CancellationToken ct) =>
        tables.GetOrAdd(
            (path, subject),
            static (key, clock) => new(key.Path, lines => AccessTable.Read(lines, key.Subject), clock),
            clock).FindAsync(ct);

    /// <summary>Networks without more, as <see cref="NetworkFile"/> has them.</summary>
    /// <exception cref="IOException">There is no such file: the message says why.</exception>
    public ValueTask<NetworkTable<bool>> FindNetworksAsync(string path, CancellationToken ct) =>
        networks.GetOrAdd(path, static (path, clock) => new(path, NetworkFile.Read, clock), clock).FindAsync(ct);
}
