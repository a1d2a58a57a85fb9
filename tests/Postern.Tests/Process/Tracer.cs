using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>strace(1), where it is there and may trace.</summary>
internal static class Tracer
{
    private const string Writes = "fdatasync,fsync,write,writev,sendto,sendmsg,pwrite64,pwritev";

    public static async Task SkipUnlessAvailableAsync()
    {
        try
        {
            var tried = await RunningProgram.RunAsync(["strace", "-o", "/dev/null", "true"]);
            Assert.SkipUnless(tried.ExitCode == 0, $"strace may not trace here: {tried.Error}");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("strace is not installed");
        }
    }

    /// <summary>Follows every thread, with the path of each descriptor.</summary>
    public static IReadOnlyList<string> Command(string trace, params string[] more) =>
        ["strace", "-f", "-y", "-s", "4096", "-e", $"trace={Writes}", "-o", trace, .. more];
}
