using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit.Accounting;

/// <summary>
/// The accounting log: <c>acctlog</c> is being written, <c>acctlog-20261130T161500Z</c> was begun then and is full or old, and with
/// <c>.gz</c> is compressed. Written by the task that writes the audit log, in the same pauses: whoever waits for that waits for this, and
/// what cannot be written is counted and told with it.
/// </summary>
internal sealed class AcctLogFile(AuditLogOptions log, AuditSync sync, TimeProvider clock) : IAsyncDisposable
{
    internal const string Name = "acctlog";

    private const string Compressed = ".gz";
    private const string Unfinished = ".new";
    private const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";

    /// <summary>Files that are not written any more may be this part of what the log may be.</summary>
    private const int Part = 10;

    private static FileStreamOptions Made
    {
        get
        {
            var how = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            return how;
        }
    }

    private readonly ArrayBufferWriter<byte> lines = new();
    private AuditLogOptions log = log;
    private SafeFileHandle? handle;
    private long length;
    private long period;
    private Task tidying = Task.CompletedTask;

    /// <summary>Lines gathered and not written.</summary>
    public int Pending { get; private set; }

    private bool IsFullOrOld => length + lines.WrittenCount > Options.RotateOctets || period != PeriodOf(clock.GetUtcNow());

    private string PathNow => Path.Join(log.Directory, Name);

    private AcctLogOptions Options => log.AcctLog!;

    public void Add(AuditEvent audit)
    {
        if (log.AcctLog is null || AcctLine.Of(audit) is not { } line)
            return;
        Encoding.UTF8.GetBytes(line, lines);
        lines.Write("\n"u8);
        Pending++;
    }

    /// <summary>False when the lines could not be written: they are given up, and the next call opens the file anew.</summary>
    public bool Write()
    {
        if (Pending == 0)
            return true;
        try
        {
            if (handle is not null && !File.Exists(PathNow))
                Close(); // moved or deleted under us
            if (handle is null)
                Open();
            if (Options.Rotates && length > 0 && IsFullOrOld)
                Rotate();
            AppendHandle.Write(handle!, lines.WrittenSpan);
            length += lines.WrittenCount;
            sync.Note(handle!);
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
            Pending = 0;
        }
    }

    /// <summary>What is gathered from now on goes by other options; null for no accounting log.</summary>
    public void Apply(AuditLogOptions changed)
    {
        if (changed.Directory != log.Directory || changed.AcctLog is null)
            Close();
        log = changed;
    }

    /// <summary>Waits for what is being compressed.</summary>
    public async ValueTask DisposeAsync()
    {
        Close();
        await tidying;
    }

    private void Open()
    {
        if (!Directory.Exists(log.Directory))
            AuditFile.CreateDirectory(log.Directory);
        var isThere = File.Exists(PathNow);
        var writtenAt = isThere ? File.GetLastWriteTimeUtc(PathNow) : clock.GetUtcNow();
        handle = AppendHandle.Open(PathNow);
        length = RandomAccess.GetLength(handle);
        period = PeriodOf(writtenAt);
        if (AppendHandle.EndsInsideLine(handle))
            AppendHandle.Write(handle, "\n"u8);
        if (Options.Rotates)
            Tidy();
    }

    private void Rotate()
    {
        Close();
        var name = $"{PathNow}-{clock.GetUtcNow().UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)}";
        var free = name;
        for (var i = 1; File.Exists(free) || File.Exists(free + Compressed); i++)
            free = string.Create(CultureInfo.InvariantCulture, $"{name}-{i:D3}");
        File.Move(PathNow, free);
        Open();
        period = PeriodOf(clock.GetUtcNow());
    }

    private long PeriodOf(DateTimeOffset at) => at.UtcTicks / Math.Max(1, Options.RotateEvery.Ticks);

    /// <summary>In the order of time, whether compressed or not.</summary>
    private static string WithoutEnding(string path) =>
        path.EndsWith(Compressed, StringComparison.Ordinal) ? path[..^Compressed.Length] : path;

    private void Close()
    {
        if (handle is not null)
            sync.Close(handle);
        handle = null;
    }

    /// <summary>Compresses and deletes beside the writing, one after another.</summary>
    private void Tidy()
    {
        var (options, before) = (log, tidying);
        tidying = Task.Run(async () =>
        {
            await before;
            await TidyAsync(options, DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime));
        });
    }

    private static async Task TidyAsync(AuditLogOptions log, DateOnly today)
    {
        try
        {
            var old = Directory.GetFiles(log.Directory, $"{Name}-*").OrderBy(WithoutEnding, StringComparer.Ordinal).ToList();
            foreach (var path in old.Where(static path => path.EndsWith(Unfinished, StringComparison.Ordinal)))
                File.Delete(path); // of a process that was killed: what it was made of is there
            old.RemoveAll(static path => path.EndsWith(Unfinished, StringComparison.Ordinal));
            // Another process may have opened the newest just before it was moved, and writes its line yet.
            var plain = old.SkipLast(1).Where(static path => !path.EndsWith(Compressed, StringComparison.Ordinal));
            foreach (var path in log.AcctLog!.Compress ? plain : [])
                await CompressAsync(path);
            Prune(log, today);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is not compressed now is next time; a disk that is full is told of by what cannot be written.
        }
    }

    private static async Task CompressAsync(string path)
    {
        var (made, whole) = (path + Compressed + Unfinished, path + Compressed);
        await using (var from = File.OpenRead(path))
        await using (var to = new FileStream(made, Made))
        {
            await using (var packed = new GZipStream(to, CompressionLevel.Optimal, leaveOpen: true))
                await from.CopyToAsync(packed);
            to.Flush(flushToDisk: true);
        }

        File.Move(made, whole, overwrite: true);
        File.Delete(path);
    }

    /// <summary>Deletes what is too old, then the oldest until the rest is small enough; never what is being written.</summary>
    private static void Prune(AuditLogOptions log, DateOnly today)
    {
        List<FileInfo> files =
        [
            .. Directory.GetFiles(log.Directory, $"{Name}-*")
                .OrderBy(WithoutEnding, StringComparer.Ordinal)
                .Select(static path => new FileInfo(path)),
        ];
        var sum = files.Sum(static file => file.Length);
        foreach (var file in files)
        {
            var isOld = DateOnly.TryParseExact(
                file.Name.AsSpan(Name.Length + 1, Math.Min(8, file.Name.Length - Name.Length - 1)),
                "yyyyMMdd",
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out var day) && day < today.AddDays(-log.KeepDays);
            if (!isOld && sum <= log.MostOctets / Part)
                continue;
            sum -= file.Length;
            file.Delete();
        }
    }
}
