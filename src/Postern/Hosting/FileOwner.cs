using System.Diagnostics;

namespace Postern.Hosting;

/// <summary>Keeps a file its owner's when root puts a new one in its place: the server that reads it is another user.</summary>
internal static class FileOwner
{
    /// <summary>Puts <paramref name="fresh"/>, which is complete, in the place of <paramref name="path"/>.</summary>
    /// <exception cref="IOException">The owner could not be kept; nothing was replaced.</exception>
    public static void Replace(string fresh, string path)
    {
        if (Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows() && File.Exists(path))
            Chown(fresh, path);
        File.Move(fresh, path, overwrite: true);
    }

    private static void Chown(string fresh, string path)
    {
        using var chown = Process.Start(new ProcessStartInfo("chown", ["--reference", path, fresh]) { UseShellExecute = false, RedirectStandardError = true })
            ?? throw new IOException("chown cannot be started");
        var complaint = chown.StandardError.ReadToEnd().Trim();
        chown.WaitForExit();
        if (chown.ExitCode != 0)
            throw new IOException($"the owner of {path} could not be kept: {complaint}");
    }
}
