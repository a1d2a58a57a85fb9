namespace Postern.Testing;

/// <summary>Where the source tree is, for tests that hold its documentation to the truth.</summary>
public static class SourceTree
{
    public static string Root { get; } = Find();

    /// <summary>The file or folder of this path inside the tree.</summary>
    public static string PathOf(string relative) => Path.Combine(Root, relative);

    private static string Find()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Postern.slnx")))
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("the tests do not run inside the source tree");
        return directory;
    }
}
