using System.Collections.Immutable;
using Postern.Configuration;
using Postern.Hosting.Drop;
using Postern.Machine;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;

namespace Postern.Hosting.Data;

/// <summary>
/// A copy of what a server keeps, made while it runs or not: the configuration file, and the data directory as <c>data</c> without logs and
/// sockets. It appears under its name when it is whole.
/// </summary>
/// <param name="Segments">Segment files of the queue; null where the queue was left out or there is none.</param>
/// <param name="Messages">Messages in them, each read and checked.</param>
/// <param name="Damage">What cannot be read in the copy, and so in the original.</param>
internal sealed record DataBackup(string Directory, int? Segments, int Messages, ImmutableArray<SpoolDamage> Damage)
{
    private static readonly string[] Volatile = ["-wal", "-shm", "-journal", ".sock", ".rcache2", ".new", ".next", "web.db"];

    /// <summary>Messages that waited in the drop directory.</summary>
    public int Dropped { get; init; }

    /// <summary>Messages whose content is kept after the end of their delivery; null where it was left out.</summary>
    public int? Kept { get; init; }

    /// <param name="to">A directory that does not exist.</param>
    /// <param name="parts">What is copied beside the configuration, the accounts and what belongs to them.</param>
    /// <exception cref="IOException">Something cannot be read or written; nothing is left of the copy.</exception>
    /// <exception cref="Postern.Relay.Accounts.DirectoryUnavailableException">The accounts cannot be read.</exception>
    public static async Task<DataBackup> MakeAsync(
        PosternConfiguration configuration, string to, BackupParts parts, TimeProvider clock, CancellationToken ct)
    {
        to = Path.TrimEndingDirectorySeparator(Path.GetFullPath(to));
        var unfinished = $"{to}.unfinished-{Environment.ProcessId}";
        PrivateFile.MakeDirectory(unfinished);
        try
        {
            var backup = await FillAsync(configuration, unfinished, parts, clock, ct);
            System.IO.Directory.Move(unfinished, to);
            return backup with { Directory = to };
        }
        catch
        {
            System.IO.Directory.Delete(unfinished, recursive: true);
            throw;
        }
    }

    private static async Task<DataBackup> FillAsync(
        PosternConfiguration configuration, string to, BackupParts parts, TimeProvider clock, CancellationToken ct)
    {
        if (configuration.File is { } file)
            CopyFile(file, Path.Combine(to, ConfigurationFile.Name));
        var (from, data) = (configuration.Server.Data, Path.Combine(to, "data"));
        PrivateFile.MakeDirectory(data);
        var accounts = configuration.ToDirectory(clock).Path;
        if (File.Exists(accounts))
            SqliteDirectory.Copy(accounts, Path.Combine(data, Path.GetFileName(accounts)));
        CopyFiles(from, data, but: accounts);
        foreach (var whole in (Func<string, string>[])
            [RelayOptions.TokenDirectory, RelayOptions.MtaStsDirectory, RelayOptions.TlsReportsDirectory])
            CopyFiles(whole(from), whole(data));
        var kept = parts.HasFlag(BackupParts.Kept)
            ? CopyKept(new KeptFolder(RelayOptions.KeptDirectory(from)), RelayOptions.KeptDirectory(data))
            : (int?)null;
        if (!parts.HasFlag(BackupParts.Queue))
            return new DataBackup(to, Segments: null, Messages: 0, []) { Kept = kept };

        // Before the queue: what is taken up into it meanwhile is then in both, and in none the other way round.
        var dropped = DropCopy.Make(
            new DropDirectory(configuration.Sendmail.DropIn(from)), new DropDirectory(Path.Combine(data, SendmailSection.DropName)));
        var backup = await configuration.ToSpool().CopyAsync(data, clock, ct) is { } copied
            ? new DataBackup(to, copied.Segments, copied.Messages, copied.Quarantined)
            : new DataBackup(to, Segments: null, Messages: 0, []);
        return backup with { Dropped = dropped, Kept = kept };
    }

    /// <summary>The files of one directory that are whole; nothing where there is none.</summary>
    private static void CopyFiles(string from, string to, string? but = null)
    {
        if (!System.IO.Directory.Exists(from))
            return;
        PrivateFile.MakeDirectory(to);
        foreach (var file in System.IO.Directory.GetFiles(from))
        {
            var name = Path.GetFileName(file);
            if (file != but && !name.StartsWith('.') && !Volatile.Any(end => name.EndsWith(end, StringComparison.Ordinal)))
                TryCopyFile(file, Path.Combine(to, name));
        }
    }

    private static int CopyKept(KeptFolder from, string to)
    {
        var count = 0;
        foreach (var kept in from.All())
        {
            var file = from.FileOf(kept);
            var copy = Path.Combine(to, Path.GetRelativePath(from.Path, file));
            PrivateFile.MakeDirectory(Path.GetDirectoryName(copy)!);
            count += TryCopyFile(file, copy) ? 1 : 0;
        }

        return count;
    }

    /// <summary>False where it is gone meanwhile: its time was over.</summary>
    private static bool TryCopyFile(string from, string to)
    {
        try
        {
            CopyFile(from, to);
            return true;
        }
        catch (IOException) when (!File.Exists(from))
        {
            return false;
        }
    }

    /// <summary>
    /// For files that are replaced, or grow at their end in lines of which the last may be torn; the copy is its owner's alone.
    /// </summary>
    private static void CopyFile(string from, string to)
    {
        using var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var target = PrivateFile.Create(to);
        source.CopyTo(target);
        target.Flush(flushToDisk: true);
    }
}

/// <summary>What a backup may hold beside the configuration, the accounts and what belongs to them.</summary>
[Flags]
internal enum BackupParts
{
    None = 0,

    /// <summary>Messages that are to be delivered, also those that wait in the drop directory.</summary>
    Queue = 1,

    /// <summary>Content that is kept after the end of the delivery.</summary>
    Kept = 2,
}
