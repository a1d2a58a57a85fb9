using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// One log file, read from its end towards its beginning. Blocks in which by the index nothing can be that is looked for are passed over.
/// </summary>
/// <param name="end">Only what stands before it, and of the line that ends there what was not taken yet; null for the whole file.</param>
/// <param name="isOver">There is no time left: the scan stops where it is.</param>
internal sealed class LogScan(string path, AuditFilter filter, (long At, int Taken)? end, Func<bool> isOver) : IAsyncDisposable
{
    private const int LinesBetweenLooks = 256;

    private SafeFileHandle? file;
    private ImmutableArray<AuditBlock> blocks;
    private int blocksLeft;
    private IAsyncEnumerator<(long Start, ReadOnlyMemory<byte> Line)>? lines;
    private long unread;
    private long currentStart;
    private ImmutableArray<AuditEvent> found = [];
    private int skipped = end?.Taken ?? 0;
    private int looked;

    /// <summary>The event at hand.</summary>
    public AuditEvent? Current { get; private set; }

    /// <summary>Where to go on: all that stands behind has been looked at and, but for <see cref="Current"/>, been taken.</summary>
    public long Position { get; private set; }

    /// <summary>Of the events that match in the line before <see cref="Position"/>, how many have been taken.</summary>
    public int Taken { get; private set; }

    /// <summary>The time of the last line looked at when the scan was stopped; null while it was not.</summary>
    public DateTimeOffset? StoppedAt { get; private set; }

    /// <summary>False at the beginning of the file, and when the scan was stopped.</summary>
    public async ValueTask<bool> NextAsync(CancellationToken ct)
    {
        if (!TryOpen())
            return false;
        if (Current is not null && ++Taken < found.Length)
        {
            Current = found[Taken];
            return true;
        }

        if (Current is not null)
            (Position, Taken) = (currentStart, 0);
        Current = null;
        while (StoppedAt is null && await MoveToLineAsync(ct))
        {
            var (start, line) = lines!.Current;
            found = filter.Match(line);
            var taken = skipped;
            skipped = 0;
            if (taken >= found.Length)
            {
                (Position, Taken) = (start, 0);
            }
            else
            {
                (Current, currentStart, Position, Taken) = (found[taken], start, start + line.Length, taken);
                return true;
            }

            if (++looked % LinesBetweenLooks == 0 && isOver())
                StoppedAt = AuditTime.Read(line.Span) ?? DateTimeOffset.MaxValue;
        }

        return false;
    }

    public async ValueTask DisposeAsync()
    {
        if (lines is not null)
            await lines.DisposeAsync();
        file?.Dispose();
    }

    private bool TryOpen()
    {
        if (file is not null)
            return true;
        if (!File.Exists(path))
            return false;
        file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        var length = RandomAccess.GetLength(file);
        Position = Math.Min(end?.At ?? length, length);
        Taken = skipped;
        unread = Position;
        blocks = filter.HasKeys ? AuditIndex.Read(path, Position) : [];
        blocksLeft = blocks.Length;
        return true;
    }

    private async ValueTask<bool> MoveToLineAsync(CancellationToken ct)
    {
        while (true)
        {
            if (lines is not null)
            {
                if (await lines.MoveNextAsync())
                    return true;
                await lines.DisposeAsync();
                lines = null;
                Position = unread;
            }

            if (unread <= 0)
                return false;
            // What lies between two blocks is in no index.
            var block = blocksLeft > 0 ? blocks[blocksLeft - 1] : null;
            if (block is null || block.End < unread)
            {
                Read(block?.End ?? 0, ct);
                continue;
            }

            blocksLeft--;
            if (filter.MayBeIn(block))
                Read(block.Start, ct);
            else
                Position = unread = block.Start;
        }
    }

    private void Read(long from, CancellationToken ct)
    {
        lines = LinesFromEnd.ReadAsync(file!, from, unread, ct).GetAsyncEnumerator(ct);
        unread = from;
    }
}
