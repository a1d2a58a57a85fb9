using System.Runtime.InteropServices;

namespace Postern.Testing.Processes;

/// <summary>The environment that native libraries of this process read; the runtime keeps a copy of its own, and writes to that alone.</summary>
public static partial class NativeEnvironment
{
    public static void Set(string name, string value)
    {
        if (setenv(name, value, overwrite: 1) != 0)
            throw new InvalidOperationException($"{name} could not be set");
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
