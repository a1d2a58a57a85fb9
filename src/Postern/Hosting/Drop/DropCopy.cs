using Microsoft.Win32.SafeHandles;
using Postern.Machine;

namespace Postern.Hosting.Drop;

/// <summary>
/// Copies messages that wait in the drop directory, whether or not a server takes them up meanwhile. A copy is the server's own file, so it
/// says as whom each message was left: what is restored is sent as that user.
/// </summary>
internal static class DropCopy
{
    private const int BufferSize = 64 * 1024;

    /// <param name="from">It need not exist.</param>
    /// <param name="to">A directory for the server alone; made where there is something.</param>
    /// <returns>How many messages were copied. What is put aside is copied as it is, and not counted.</returns>
    /// <exception cref="IOException">Something cannot be read or written.</exception>
    public static int Make(DropDirectory from, DropDirectory to)
    {
        var count = 0;
        // What is moved from the first to the second meanwhile is met twice and copied once, under the name that it keeps.
        foreach (var path in Waiting(from.Path).Concat(Waiting(from.Taken)))
            count += TryCopy(path, to) ? 1 : 0;
        foreach (var path in Names(from.Aside))
            TryCopyAsIs(path, to);
        return count;
    }

    private static IEnumerable<string> Waiting(string directory) => Names(directory).Where(
        static path => Path.GetFileName(path).StartsWith(DropDirectory.FinishedPrefix, StringComparison.Ordinal));

    private static string[] Names(string directory) => Directory.Exists(directory) ? Directory.GetFiles(directory) : [];

    /// <summary>False where it has been taken up, or is no message.</summary>
    private static bool TryCopy(string path, DropDirectory to)
    {
        var copy = Path.Combine(to.Path, Path.GetFileName(path));
        if (File.Exists(copy))
            return false;
        try
        {
            if (UserIdentity.Look(path) is not { IsFile: true, Links: 1 })
                return false;
            using var file = UserIdentity.OpenForeign(path, out var facts);
            if (!DropFile.TryRead(file, out var dropped, out _))
                return false;
            var head = DropFile.Head(dropped.Envelope, dropped.UserOf(facts), dropped.Length);
            Write(copy, head, file, dropped.ContentAt);
            return true;
        }
        catch (IOException) when (UserIdentity.Look(path) is null)
        {
            return false;
        }
    }

    private static void TryCopyAsIs(string path, DropDirectory to)
    {
        try
        {
            if (UserIdentity.Look(path) is not { IsFile: true })
                return;
            using var file = UserIdentity.OpenForeign(path, out _);
            Write(Path.Combine(to.Aside, Path.GetFileName(path)), head: [], file, from: 0);
        }
        catch (IOException) when (UserIdentity.Look(path) is null)
        {
            // An operator has looked at it.
        }
    }

    private static void Write(string path, byte[] head, SafeFileHandle content, long from)
    {
        PrivateFile.MakeDirectory(Path.GetDirectoryName(path)!);
        using var target = PrivateFile.Create(path);
        target.Write(head);
        var buffer = new byte[BufferSize];
        for (int read; (read = RandomAccess.Read(content, buffer, from)) > 0; from += read)
            target.Write(buffer.AsSpan(0, read));
        target.Flush(flushToDisk: true);
    }
}
