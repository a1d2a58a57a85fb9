using System.Collections.Concurrent;
using Postern.Relay.Policy.Watching;

namespace Postern.Relay.Policy.Access;

/// <summary>The files that the rules of one policy look into.</summary>
internal sealed class AccessTables(TimeProvider clock)
{
    private readonly ConcurrentDictionary<(string Path, AccessSubject Subject), WatchedFile<AccessTable>> tables = [];
    private readonly ConcurrentDictionary<string, WatchedFile<NetworkTable<bool>>> networks = [];
    private readonly ConcurrentDictionary<string, WatchedFile<PlaceFile>> places = [];

    /// <exception cref="IOException">There is no table: the message says why.</exception>
    public ValueTask<AccessTable> FindAsync(string path, AccessSubject subject, CancellationToken ct) =>
        tables.GetOrAdd(
            (path, subject),
            static (key, clock) => new(key.Path, path => AccessTable.Read(File.ReadLines(path), key.Subject), clock),
            clock).FindAsync(ct);

    /// <summary>Networks without more, as <see cref="NetworkFile"/> has them.</summary>
    /// <exception cref="IOException">There is no such file: the message says why.</exception>
    public ValueTask<NetworkTable<bool>> FindNetworksAsync(string path, CancellationToken ct) =>
        networks.GetOrAdd(
            path, static (path, clock) => new(path, static path => NetworkFile.Read(File.ReadLines(path)), clock), clock).FindAsync(ct);

    /// <summary>What a database of an operator's says of addresses.</summary>
    /// <exception cref="IOException">There is no such database: the message says why.</exception>
    public ValueTask<PlaceFile> FindPlacesAsync(string path, CancellationToken ct) =>
        places.GetOrAdd(path, static (path, clock) => new(path, PlaceFile.Read, clock), clock).FindAsync(ct);
}
