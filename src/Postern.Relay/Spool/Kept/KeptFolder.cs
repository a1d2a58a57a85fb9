using System.Globalization;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Spool.Kept;

/// <summary>
/// The directory of kept content, its owner's alone: a file for each message, whose name says until when, in a directory for the hour in
/// which the message's id was made. So a message is found by its id, and its end is known, without anything to be remembered. Members may
/// be called from any thread and, but for <see cref="WriteAsync"/>, from any process.
/// </summary>
public sealed class KeptFolder(string path)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const string HourFormat = "yyyy-MM-dd'T'HH";

    /// <summary>Files that were being written when their writer was killed.</summary>
    private const string Unfinished = ".new";

    public string Path => path;

    /// <summary>Null where nothing is kept of it, or no longer at <paramref name="now"/>.</summary>
    public KeptMessage? Find(QueueId id, DateTimeOffset now)
    {
        var folder = FolderOf(id);
        if (!Directory.Exists(folder))
            return null;
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles($"{id}.*"))
        {
            if (TryRead(file) is { } kept && kept.Id == id)
                return kept.Until > now ? kept : null;
        }

        return null;
    }

    /// <summary>All that is there, also what is over, in no order.</summary>
    public IEnumerable<KeptMessage> All() => HoursOldestFirst().SelectMany(Of);

    /// <summary>The path of its file.</summary>
    public string FileOf(KeptMessage kept) => FileOf(kept.Id, kept.Until);

    /// <summary>What stands in the file; null where it is gone meanwhile.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public KeptContent? Open(KeptMessage kept)
    {
        var file = FileOf(kept);
        try
        {
            return KeptFile.Open(file, kept.Id);
        }
        catch (IOException) when (!File.Exists(file))
        {
            return null;
        }
    }

    /// <summary>False where it was gone already. Whoever wants that to survive a power failure calls <see cref="Sync"/>.</summary>
    public bool Remove(KeptMessage kept)
    {
        var file = FileOf(kept);
        if (!File.Exists(file))
            return false;
        File.Delete(file);
        return true;
    }

    /// <summary>Done when it is on the disk which files there are for the hour of this message.</summary>
    public void Sync(QueueId id) => SyncFolder(FolderOf(id));

    /// <summary>Takes away what a killed writer left, and the directories of hours that hold nothing any more.</summary>
    internal void TidyUp(DateTimeOffset now)
    {
        foreach (var folder in HoursOldestFirst())
        {
            foreach (var file in Directory.EnumerateFiles(folder, "*" + Unfinished))
                File.Delete(file);
            // Where a message of this hour may come at any moment, it stays.
            if (string.CompareOrdinal(System.IO.Path.GetFileName(folder), Hour(now.AddHours(-1))) < 0
                && !Directory.EnumerateFileSystemEntries(folder).Any())
                Directory.Delete(folder);
        }
    }

    /// <summary>
    /// Writes a message; its octets are durable when this is done, and its name is when <see cref="Sync"/> was called. By one writer.
    /// </summary>
    internal async ValueTask<KeptMessage> WriteAsync(
        SpoolEntry entry, ISpoolContent content, DateTimeOffset until, CancellationToken ct)
    {
        var id = entry.Envelope.Id;
        Prepare(FolderOf(id));
        var file = FileOf(id, until);
        var unfinished = file + Unfinished;
        File.Delete(unfinished);
        try
        {
            await KeptFile.WriteAsync(unfinished, entry, content, ct).ConfigureAwait(false);
            File.Move(unfinished, file, overwrite: true);
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }

        return new KeptMessage(id, until, new FileInfo(file).Length);
    }

    /// <summary>The directories, whose names are on the disk when this is done.</summary>
    private void Prepare(string folder)
    {
        if (Directory.Exists(folder))
            return;
        var isNew = !Directory.Exists(path);
        MakePrivate(path);
        if (isNew && System.IO.Path.GetDirectoryName(path) is { } parent)
            SyncFolder(parent);
        MakePrivate(folder);
        SyncFolder(path);
    }

    private static void MakePrivate(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnerOnly);
    }

    private IEnumerable<string> HoursOldestFirst() =>
        Directory.Exists(path)
            ? Directory.GetDirectories(path)
                .Where(static folder => DateTimeOffset.TryParseExact(
                    System.IO.Path.GetFileName(folder), HourFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _))
                .Order(StringComparer.Ordinal)
            : [];

    private static IEnumerable<KeptMessage> Of(string folder)
    {
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles())
        {
            if (TryRead(file) is { } kept && HourOf(kept.Id) == file.Directory!.Name)
                yield return kept;
        }
    }

    private string FolderOf(QueueId id) => System.IO.Path.Combine(path, HourOf(id));

    /// <summary>Messages of the same hour are in the same directory.</summary>
    internal static string HourOf(QueueId id) => Hour(id.CreatedAt);

    private static string Hour(DateTimeOffset at) => at.UtcDateTime.ToString(HourFormat, CultureInfo.InvariantCulture);

    private string FileOf(QueueId id, DateTimeOffset until) => System.IO.Path.Combine(
        FolderOf(id), string.Create(CultureInfo.InvariantCulture, $"{id}.{until.ToUnixTimeMilliseconds()}"));

    /// <summary>Null for a file of another kind.</summary>
    private static KeptMessage? TryRead(FileInfo file)
    {
        var name = file.Name;
        return name.Length > QueueId.TextLength
            && name[QueueId.TextLength] == '.'
            && QueueId.TryParse(name[..QueueId.TextLength], out var id)
            && long.TryParse(name.AsSpan(QueueId.TextLength + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var until)
            && until <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
                ? new KeptMessage(id, DateTimeOffset.FromUnixTimeMilliseconds(until), file.Exists ? file.Length : 0)
                : null;
    }

    private static void SyncFolder(string folder)
    {
        using var directory = Libc.OpenFile(folder, Libc.Directory);
        Libc.Sync(directory, folder);
    }
}

/// <summary>A message whose content is kept.</summary>
/// <param name="Octets">Of its file, which is a little larger than the content.</param>
public readonly record struct KeptMessage(QueueId Id, DateTimeOffset Until, long Octets);
