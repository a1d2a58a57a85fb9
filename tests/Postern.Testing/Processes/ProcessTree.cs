using System.Globalization;
using System.Runtime.InteropServices;

namespace Postern.Testing.Processes;

/// <summary>A process that a test started, with those that it has started.</summary>
public static partial class ProcessTree
{
    public const int Kill = 9;
    public const int Continue = 18;
    public const int Stop = 19;

    public static void Signal(int processId, int signal)
    {
        int[] children = [.. ChildrenOf(processId)];
        _ = kill(processId, signal);
        foreach (var child in children)
            Signal(child, signal);
    }

    private static IEnumerable<int> ChildrenOf(int processId)
    {
        var file = string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/task/{processId}/children");
        return File.Exists(file) ? File.ReadAllText(file).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static id => int.Parse(id, CultureInfo.InvariantCulture)) : [];
    }

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);
}
