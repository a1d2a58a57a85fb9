namespace Postern.Fuzz.Models;

/// <summary>A directory for this process, gone with it.</summary>
internal static class Scratch
{
    private static readonly Lazy<string> Root = new(static () =>
    {
        var path = System.IO.Directory.CreateTempSubdirectory("postern-fuzz-").FullName;
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
