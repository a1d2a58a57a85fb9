using System.ComponentModel;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>The user <c>nobody</c>, as whom root can run the program.</summary>
internal static class OtherUser
{
    private const string Nobody = "65534";
    private static readonly string[] As = ["setpriv", "--reuid", Nobody, "--regid", Nobody, "--clear-groups"];

    /// <summary>Runs a command on a home that this user can enter.</summary>
    public static async Task<ProgramResult> RunAsync(PosternHome home, params string[] args)
    {
        await SkipUnlessAsync([.. As, "test", "-r", ProcessTests.Dll]);
        File.SetUnixFileMode(home.Root, File.GetUnixFileMode(home.Root) | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        return await home.RunByAsync(As, args);
    }

    public static async Task OwnAsync(string path, string user = Nobody)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can give a file to another user");
        Assert.Equal(0, (await RunningProgram.RunAsync(["chown", "-R", user, path])).ExitCode);
    }

    /// <summary>Skips where this command fails.</summary>
    public static async Task SkipUnlessAsync(IReadOnlyList<string> command)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can run as another user");
        try
        {
            var tried = await RunningProgram.RunAsync(command);
            Assert.SkipUnless(tried.ExitCode == 0, $"{string.Join(' ', command)}: {tried.Error}");
        }
        catch (Win32Exception)
        {
            Assert.Skip($"{command[0]} is not installed");
        }
    }
}
