using System.Runtime.CompilerServices;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// Follows the audit files as they grow, over midnight and over the deletion of a file. It begins with the first event written after
/// it was made.
/// </summary>
public sealed class AuditTail
{
    private const int BlockLength = 64 * 1024;

    private readonly string directory;
    private readonly AuditQuery query;
    private readonly AuditFilter filter;
    private readonly TimeProvider clock;
    private readonly Dictionary<AuditFileName, long> positions;

    /// <param name="query">Its limit is not used: a tail has no end.</param>
    public AuditTail(string directory, AuditQuery query, TimeProvider clock)
    {
        this.directory = directory;
        this.query = query;
        this.clock = clock;
        filter = new AuditFilter(query);
        positions = Names().ToDictionary(static name => name, LengthOf);
    }

    /// <summary>
    /// Events in the order in which they were written, file by file; looks again every <paramref name="interval"/> until cancelled.
    /// </summary>
    public async IAsyncEnumerable<AuditEvent> FollowAsync(TimeSpan interval, [EnumeratorCancellation] CancellationToken ct)
    {
        while (true)
        {
            foreach (var name in Names())
            {
                await foreach (var audit in ReadNewAsync(name, ct))
                    yield return audit;
            }

            await Task.Delay(interval, clock, ct);
        }
    }

    private IEnumerable<AuditFileName> Names() =>
        AuditFileName.List(directory).Where(name => query.Kinds.HasFlag(name.Kind)).OrderBy(static name => name.Day);

    private string PathOf(AuditFileName name) => Path.Join(directory, name.ToString());

    private long LengthOf(AuditFileName name) => new FileInfo(PathOf(name)) is { Exists: true } file ? file.Length : 0;

    private async IAsyncEnumerable<AuditEvent> ReadNewAsync(AuditFileName name, [EnumeratorCancellation] CancellationToken ct)
    {
        var position = positions.GetValueOrDefault(name);
        var length = LengthOf(name);
        if (length < position)
            position = 0; // another file of the same name
        if (length <= position)
            yield break;

        using var file = File.OpenHandle(
            PathOf(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        var buffer = new byte[BlockLength];
        var kept = 0;
        while (true)
        {
            var read = await RandomAccess.ReadAsync(file, buffer.AsMemory(kept), position + kept, ct);
            if (read == 0)
                break;
            kept += read;
            var taken = 0;
            while (buffer.AsSpan(taken, kept - taken).IndexOf((byte)'\n') is var feed and >= 0)
            {
                foreach (var audit in filter.Match(buffer.AsMemory(taken, feed)).Reverse())
                    yield return audit;
                taken += feed + 1;
            }

            buffer.AsSpan(taken, kept - taken).CopyTo(buffer);
            kept -= taken;
            position += taken;
            positions[name] = position; // a line without its end is read again when the rest is there
            if (kept == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
        }
    }
}
