using System.Collections.Immutable;
using Postern.Configuration;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Spool;

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
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly string[] Volatile = ["-wal", "-shm", "-journal", ".sock", ".rcache2", ".new"];

    /// <param name="to">A directory that does not exist.</param>
    /// <exception cref="IOException">Something cannot be read or written; nothing is left of the copy.</exception>
    /// <exception cref="Postern.Relay.Accounts.DirectoryUnavailableException">The accounts cannot be read.</exception>
    public static async Task<DataBackup> MakeAsync(
        PosternConfiguration configuration, string to, bool withQueue, TimeProvider clock, CancellationToken ct)
    {
        to = Path.TrimEndingDirectorySeparator(Path.GetFullPath(to));
        var unfinished = $"{to}.unfinished-{Environment.ProcessId}";
        System.IO.Directory.CreateDirectory(unfinished, OwnerOnly);
        try
        {
            var backup = await FillAsync(configuration, unfinished, withQueue, clock, ct);
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
        PosternConfiguration configuration, string to, bool withQueue, TimeProvider clock, CancellationToken ct)
    {
        if (configuration.File is { } file)
            CopyFile(file, Path.Combine(to, ConfigurationFile.Name));
        var (from, data) = (configuration.Server.Data, Path.Combine(to, "data"));
        System.IO.Directory.CreateDirectory(data, OwnerOnly);
        var accounts = configuration.ToDirectory(clock).Path;
        if (File.Exists(accounts))
            SqliteDirectory.Copy(accounts, Path.Combine(data, Path.GetFileName(accounts)));
        foreach (var other in System.IO.Directory.EnumerateFiles(from).Where(
            f => f != accounts && !Volatile.Any(v => f.EndsWith(v, StringComparison.Ordinal)) && !Path.GetFileName(f).StartsWith('.')))
            CopyFile(other, Path.Combine(data, Path.GetFileName(other)));
        return withQueue && await configuration.ToSpool().CopyAsync(data, clock, ct) is { } copied
            ? new DataBackup(to, copied.Segments, copied.Messages, copied.Quarantined)
            : new DataBackup(to, Segments: null, Messages: 0, []);
    }

    /// <summary>
    /// For files that are replaced, or grow at their end in lines of which the last may be torn; the copy is its owner's alone.
    /// </summary>
    private static void CopyFile(string from, string to)
    {
        using var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var target = new FileStream(
            to,
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        source.CopyTo(target);
        target.Flush(flushToDisk: true);
    }
}
