using System.Collections.Concurrent;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Watching;

namespace Postern.Relay.Policy.Access;

/// <summary>The files that the rules of one policy look into.</summary>
/// <param name="audit">Is told of a changed file that does not count.</param>
internal sealed class AccessTables(TimeProvider clock, IAuditLog audit)
{
    private readonly ConcurrentDictionary<(string Path, AccessSubject Subject), WatchedFile<AccessTable>> tables = [];
    private readonly ConcurrentDictionary<string, WatchedFile<NetworkTable<bool>>> networks = [];
    private readonly ConcurrentDictionary<string, WatchedFile<PlaceFile>> places = [];

    /// <exception cref="IOException">There is no table: the message says why.</exception>
    public ValueTask<AccessTable> FindAsync(string path, AccessSubject subject, CancellationToken ct) =>
        tables.GetOrAdd(
            (path, subject),
            static (key, self) => new(
                key.Path, path => AccessTable.Read(File.ReadLines(path), key.Subject), self.Clock, self.Tell),
            this).FindAsync(ct);

    /// <summary>Networks without more, as <see cref="NetworkFile"/> has them.</summary>
    /// <exception cref="IOException">There is no such file: the message says why.</exception>
    public ValueTask<NetworkTable<bool>> FindNetworksAsync(string path, CancellationToken ct) =>
        networks.GetOrAdd(
            path,
            static (path, self) => new(path, static path => NetworkFile.Read(File.ReadLines(path)), self.Clock, self.Tell),
            this).FindAsync(ct);

    /// <summary>What a database of an operator's says of addresses.</summary>
    /// <exception cref="IOException">There is no such database: the message says why.</exception>
    public ValueTask<PlaceFile> FindPlacesAsync(string path, CancellationToken ct) =>
        places.GetOrAdd(path, static (path, self) => new(path, PlaceFile.Read, self.Clock, self.Tell), this).FindAsync(ct);

    private TimeProvider Clock => clock;

    private void Tell(string problem) => audit.Append(new ServerEvent(clock.GetUtcNow(), "access_file", problem));
}
