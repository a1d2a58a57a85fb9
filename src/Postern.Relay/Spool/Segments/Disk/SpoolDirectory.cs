using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Postern.Relay.Spool.Segments.Disk;

/// <summary>The directory of one spool, held by this process alone: its own user's, mode 0700, no symbolic link.</summary>
internal sealed class SpoolDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly SafeFileHandle lockFile;
    private readonly ISegmentFiles files;

    private SpoolDirectory(string path, SafeFileHandle lockFile, ISegmentFiles files)
    {
        this.files = files;
        Path = path;
        this.lockFile = lockFile;
    }

    public string Path { get; }

    public string Quarantine => System.IO.Path.Combine(Path, "quarantine");

    /// <exception cref="SpoolUnavailableException">It cannot be ours.</exception>
    public static SpoolDirectory Open(string path, ISegmentFiles files)
    {
        path = System.IO.Path.GetFullPath(path);
        try
        {
            var created = Missing(path);
            Prepare(path);
            SyncParents(path, created, files);
            return new SpoolDirectory(path, Lock(path), files);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SpoolUnavailableException(
                $"The spool directory {path} cannot be used: {e.Message}. "
                    + $"{(Environment.UserName is { Length: > 0 } user ? $"User {user}" : "The user that postern runs as")} must be able "
                    + $"to create it and to write in it.",
                e);
        }
    }

    /// <summary>Makes sure of <see cref="Quarantine"/>.</summary>
    public void CreateQuarantine()
    {
        MakePrivate(Quarantine);
        files.SyncDirectory(Path);
    }

    public void Dispose()
    {
        if (lockFile.IsClosed)
            return;
        Libc.Unlock(lockFile);
        lockFile.Dispose();
    }

    /// <summary>The directory and those above it that do not exist, the innermost first.</summary>
    private static List<string> Missing(string path)
    {
        var missing = new List<string>();
        for (var at = path; at is not null && !Directory.Exists(at); at = System.IO.Path.GetDirectoryName(at))
            missing.Add(at);
        return missing;
    }

    /// <summary>
    /// A directory whose name is not on the disk takes everything in it along when the power fails. Whoever made those that exist
    /// may have been killed before syncing them, so every name on the way is synced, where this user may.
    /// </summary>
    private static void SyncParents(string path, List<string> created, ISegmentFiles files)
    {
        for (var at = path; System.IO.Path.GetDirectoryName(at) is { } parent; at = parent)
        {
            try
            {
                files.SyncDirectory(parent);
            }
            catch (IOException e) when (!created.Contains(at) && Libc.IsRefusal(e))
            {
                // Not ours to open, or of a kind that cannot be synced; it was there before us.
            }
        }
    }

    private static void Prepare(string path)
    {
        if (!Directory.Exists(path) && new FileInfo(path) is { LinkTarget: null })
            MakePrivate(path);
        if (new DirectoryInfo(path).LinkTarget is { } target)
            throw new SpoolUnavailableException($"The spool directory {path} is a symbolic link to {target}. Name the directory itself.");
        var owner = Libc.OwnerOf(path);
        if (owner != Libc.EffectiveUser)
        {
            throw new SpoolUnavailableException(string.Create(
                CultureInfo.InvariantCulture,
                $"The spool directory {path} belongs to user id {owner}, and this process runs as {Libc.EffectiveUser}. Run as that user, "
                    + $"or chown -R the directory."));
        }

        MakePrivate(path);
    }

    /// <summary>Creates the directory if it is missing, and gives it mode 0700 in any case.</summary>
    private static void MakePrivate(string path)
    {
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("The segment spool needs Linux: its promises rest on fdatasync and flock");
        Directory.CreateDirectory(path, OwnerOnly);
        if (File.GetUnixFileMode(path) != OwnerOnly)
            File.SetUnixFileMode(path, OwnerOnly);
    }

    private static SafeFileHandle Lock(string path)
    {
        var lockPath = System.IO.Path.Combine(path, "lock");
        var file = Libc.OpenFile(lockPath, Libc.ReadWrite | Libc.Create);
        if (!Libc.TryLock(file, lockPath))
        {
            var holder = Holder(file);
            file.Dispose();
            throw new SpoolUnavailableException(
                $"The spool directory {path} is in use by process {holder}. Stop that process, or give this one a directory of its own.");
        }

        var owner = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n"));
        RandomAccess.SetLength(file, 0);
        RandomAccess.Write(file, owner, fileOffset: 0);
        return file;
    }

    private static string Holder(SafeFileHandle file)
    {
        Span<byte> octets = stackalloc byte[16];
        var text = Encoding.ASCII.GetString(octets[..RandomAccess.Read(file, octets, fileOffset: 0)]).Trim();
        return text.Length == 0 ? "(unknown)" : text;
    }
}
