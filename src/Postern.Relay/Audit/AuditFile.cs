using System.Buffers;
using Microsoft.Win32.SafeHandles;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// The file of one kind that is being written: lines are gathered and go to the operating system at <see cref="Write"/>, in one call.
/// </summary>
/// <param name="sync">Brings to the disk what is written, and closes what is left.</param>
internal sealed class AuditFile(string directory, AuditKind kind, AuditSync sync) : IDisposable
{
    private readonly ArrayBufferWriter<byte> lines = new();
    private readonly List<(AuditEvent Audit, int Length)> events = [];
    private readonly AuditBlockMaker block = new();
    private string directory = directory;
    private SafeFileHandle? handle;
    private bool endsInsideLine;

    public AuditKind Kind => kind;

    /// <summary>The day of the gathered lines.</summary>
    public DateOnly Day { get; private set; }

    /// <summary>Events gathered and not written.</summary>
    public int Pending { get; private set; }

    private string PathOfDay => Path.Join(directory, new AuditFileName(kind, Day).ToString());

    public void Add(DateOnly day, AuditEvent audit, ReadOnlySpan<byte> line)
    {
        if (day != Day)
        {
            Close();
            Day = day;
        }

        lines.Write(line);
        events.Add((audit, line.Length));
        Pending += JsonLinesAuditLog.CountOf(audit);
    }

    /// <summary>
    /// False when the lines could not be written: they are given up, and the next call opens the file anew. Some may have got
    /// through before the disk was full.
    /// </summary>
    public bool Write()
    {
        if (Pending == 0)
            return true;
        try
        {
            if (handle is not null && !File.Exists(PathOfDay))
                Close(); // deleted under us: what is written there, nobody will read
            handle ??= Open();
            if (endsInsideLine)
                AppendHandle.Write(handle, "\n"u8);
            endsInsideLine = true;
            AppendHandle.Write(handle, lines.WrittenSpan);
            endsInsideLine = false;
            sync.Note(handle);
            Index(RandomAccess.GetLength(handle));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            Close();
            return false;
        }
        finally
        {
            lines.ResetWrittenCount();
            events.Clear();
            Pending = 0;
        }
    }

    /// <summary>What is gathered from now on goes to another directory.</summary>
    public void MoveTo(string other)
    {
        if (other == directory)
            return;
        Close();
        directory = other;
    }

    public void Dispose() => Close();

    /// <summary>
    /// Notes for the index what has been written, which ends at <paramref name="end"/> unless somebody else has written behind it.
    /// </summary>
    private void Index(long end)
    {
        var at = end - lines.WrittenCount;
        // Another process may have added lines, which no block of ours may hide.
        if (!block.Follows(at) || !StandsAt(at))
            block.Forget();
        if (!StandsAt(at))
            return;
        foreach (var (audit, length) in events)
        {
            block.Add(audit);
            if (block.Extend(at, at + length) is { } whole)
                AuditIndex.Append(PathOfDay, [whole]);
            at += length;
        }
    }

    private bool StandsAt(long at)
    {
        Span<byte> there = stackalloc byte[256];
        return at >= 0
            && lines.WrittenSpan.StartsWith(there[..RandomAccess.Read(handle!, there[..Math.Min(there.Length, lines.WrittenCount)], at)]);
    }

    private SafeFileHandle Open()
    {
        if (!Directory.Exists(directory))
            CreateDirectory(directory);
        var opened = AppendHandle.Open(PathOfDay);
        endsInsideLine = AppendHandle.EndsInsideLine(opened);
        return opened;
    }

    /// <summary>For its owner only.</summary>
    public static void CreateDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(directory);
        else
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private void Close()
    {
        if (handle is not null)
            sync.Close(handle);
        handle = null;
        block.Forget();
    }
}
