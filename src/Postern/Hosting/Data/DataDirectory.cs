using Postern.Machine;

namespace Postern.Hosting.Data;

/// <summary>The directory that holds everything a server keeps: 0700, its own user's.</summary>
internal static class DataDirectory
{
    private const string ControlSocketName = "control.sock";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    public static string ControlSocket(string data) => Path.Combine(data, ControlSocketName);

    /// <summary>Of Kerberos tickets.</summary>
    public static string ReplayCache(string data) => Path.Combine(data, "tickets.rcache2");

    /// <summary>Creates it where it is missing; null when it can be written.</summary>
    public static Problem? Prepare(string path)
    {
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(
                $"the data directory {path} cannot be created: {e.Message}",
                "Create it for the user that postern runs as, or set server.data to another place.");
        }

        return WhyNotWritable(path);
    }

    /// <summary>Null when <see cref="Prepare"/> would succeed, as far as can be seen without creating it.</summary>
    public static Problem? WhyNotUsable(string path, string what = "the data directory")
    {
        if (Directory.Exists(path))
            return WhyNotWritable(path, what);
        if (File.Exists(path))
            return new($"{what} {path} is a file", "Set server.data to another place.");
        var parent = Path.GetDirectoryName(path);
        while (parent is not null && !Directory.Exists(parent))
            parent = Path.GetDirectoryName(parent);
        return WhyNotWritable(parent ?? "/", what);
    }

    /// <summary>A directory that others may enter is no error, but worth a word.</summary>
    public static string? Warning(string path) =>
        Directory.Exists(path) && (File.GetUnixFileMode(path) & Others) != UnixFileMode.None
            ? $"the data directory {path} is open to every user of this machine: chmod 700 {path}"
            : null;

    private static Problem? WhyNotWritable(string path, string what = "the data directory")
    {
        try
        {
            using var probe = new FileStream(
                Path.Combine(path, $".probe-{Guid.NewGuid():N}"),
                FileMode.CreateNew,
                FileAccess.Write,
                FileShare.None,
                bufferSize: 1,
                FileOptions.DeleteOnClose);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(
                $"{what} {path} cannot be written by {UserIdentity.Current}: {e.Message}",
                "Give it to the user that postern runs as, or set server.data to another place.");
        }
    }
}
