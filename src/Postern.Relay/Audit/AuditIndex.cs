using System.Collections.Immutable;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// The file beside a log file that says what its blocks hold (<c>mail-2026-11-20.idx</c>), so that a search need not read those that cannot
/// have what it is for. It is a help and nothing else: what it does not cover is read, and a damaged one covers less. About 2 % of the log.
/// </summary>
internal static class AuditIndex
{
    private const string Extension = ".idx";

    public static string PathOf(string logPath) => Path.ChangeExtension(logPath, Extension);

    /// <summary>
    /// Blocks that are whole, in their order, none overlapping another; none where there is no index or it cannot be read.
    /// </summary>
    public static ImmutableArray<AuditBlock> Read(string logPath, long logLength)
    {
        byte[] octets;
        try
        {
            octets = File.ReadAllBytes(PathOf(logPath));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }

        var blocks = new List<AuditBlock>();
        for (var rest = octets.AsSpan(); AuditBlock.Read(rest, out var length) is { } block; rest = rest[length..])
            blocks.Add(block);
        blocks.Sort(static (a, b) => a.Start.CompareTo(b.Start));
        var found = ImmutableArray.CreateBuilder<AuditBlock>(blocks.Count);
        foreach (var block in blocks)
        {
            if (block.End <= logLength && (found.Count == 0 || block.Start >= found[^1].End))
                found.Add(block);
        }

        return found.DrainToImmutable();
    }

    /// <summary>Adds blocks. What goes wrong is nobody's business: a search reads more then.</summary>
    public static void Append(string logPath, IEnumerable<AuditBlock> blocks)
    {
        try
        {
            using var file = AppendHandle.Open(PathOf(logPath));
            foreach (var block in blocks)
                AppendHandle.Write(file, block.ToOctets());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
        }
    }

    /// <summary>
    /// Makes what is missing for the files of a directory: they are of an older version, or an index was lost. Takes a while for many.
    /// </summary>
    public static async Task RemakeAsync(string directory, CancellationToken ct)
    {
        try
        {
            foreach (var name in AuditFileName.List(directory).OrderByDescending(static name => name.Day))
                await RemakeAsync(new FileInfo(Path.Join(directory, name.ToString())), ct);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            // What has no index is read.
        }
    }

    private static async Task RemakeAsync(FileInfo log, CancellationToken ct)
    {
        var at = 0L;
        var gaps = new List<(long From, long To)>();
        foreach (var block in Read(log.FullName, log.Length))
        {
            gaps.Add((at, block.Start));
            at = block.End;
        }

        gaps.Add((at, log.Length));
        foreach (var (from, to) in gaps.Where(static gap => gap.To - gap.From >= AuditBlock.Length))
        {
            await using var lines = log.Open(FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            lines.Position = from;
            await RemakeAsync(log.FullName, lines, from, to, ct);
        }
    }

    private static async Task RemakeAsync(string logPath, FileStream log, long from, long to, CancellationToken ct)
    {
        var maker = new AuditBlockMaker();
        var buffer = new byte[AuditBlock.Length];
        var (kept, start) = (0, from);
        while (start + kept < to)
        {
            var read = await log.ReadAsync(buffer.AsMemory(kept, (int)Math.Min(buffer.Length - kept, to - start - kept)), ct);
            if (read == 0)
                return;
            kept += read;
            var taken = 0;
            while (buffer.AsSpan(taken, kept - taken).IndexOf((byte)'\n') is var feed and >= 0)
            {
                if (AuditEvents.Read(buffer.AsMemory(taken, feed)) is { } audit)
                    maker.Add(audit);
                if (maker.Extend(start + taken, start + taken + feed + 1) is { } block)
                    Append(logPath, [block]);
                taken += feed + 1;
            }

            buffer.AsSpan(taken, kept - taken).CopyTo(buffer);
            (kept, start) = (kept - taken, start + taken);
            if (kept == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
        }
    }
}

/// <summary>Gathers what the index is to say of the block that is being written.</summary>
internal sealed class AuditBlockMaker
{
    private readonly HashSet<ulong> keys = [];
    private long start = -1;
    private long end = -1;
    private long firstTicks = long.MaxValue;
    private long lastTicks = long.MinValue;

    /// <summary>An event that stands in the next octets.</summary>
    public void Add(AuditEvent audit)
    {
        if (audit is DeferralsEvent { Parts: var parts })
        {
            foreach (var part in parts)
                Add(part);
            return;
        }

        EventKeys.AddTo(keys, audit.Traits);
        firstTicks = Math.Min(firstTicks, audit.At.UtcTicks);
        lastTicks = Math.Max(lastTicks, audit.At.UtcTicks);
    }

    /// <summary>
    /// The octets of the events that were added. Where they do not follow those before, the block begins with them; a block when it is long
    /// enough.
    /// </summary>
    public AuditBlock? Extend(long from, long to)
    {
        if (start < 0)
            start = from;
        end = to;
        if (end - start < AuditBlock.Length)
            return null;
        var block = AuditBlock.Of(start, end, firstTicks, lastTicks, keys);
        Forget();
        return block;
    }

    /// <summary>Nothing stands between the last octets and these.</summary>
    public bool Follows(long from) => start < 0 || end == from;

    public void Forget()
    {
        keys.Clear();
        (start, end) = (-1, -1);
        (firstTicks, lastTicks) = (long.MaxValue, long.MinValue);
    }
}
