using Postern.Testing;

namespace Postern.Tests;

/// <summary>Files of the source tree that tests hold to the truth.</summary>
internal static class RepositoryFiles
{
    public static string Root => SourceTree.Root;

    public static string PathOf(string relative) => SourceTree.PathOf(relative);
}
