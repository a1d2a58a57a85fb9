namespace Postern.Fuzz.Models;

/// <summary>A directory for this process, gone with it; in memory where the machine has such a place, as nothing here is about the disk.</summary>
internal static class Scratch
{
    private const string Memory = "/dev/shm";

    private static readonly Lazy<string> Root = new(static () =>
    {
        var path = Path.Combine(System.IO.Directory.Exists(Memory) ? Memory : Path.GetTempPath(), $"postern-fuzz-{Guid.NewGuid():N}");
        System.IO.Directory.CreateDirectory(path);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => System.IO.Directory.Delete(path, recursive: true);
        return path;
    });

    /// <summary>A new directory in it.</summary>
    public static string Directory(string name)
    {
        var path = Path.Combine(Root.Value, name);
        System.IO.Directory.CreateDirectory(path);
        return path;
    }
}
