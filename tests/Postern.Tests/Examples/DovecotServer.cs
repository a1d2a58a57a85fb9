using Postern.Testing.Processes;

namespace Postern.Tests.Examples;

/// <summary>Dovecot's authentication service in a folder of its own, with one user, and with what an example adds to its configuration.</summary>
internal sealed class DovecotServer : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-dovecot-").FullName;
    private RunningProgram? process;

    public string SocketPath => Path.Combine(folder, "run", "auth-client");

    /// <param name="user">A line of a passwd file.</param>
    /// <param name="example">What stands in its configuration beside what every Dovecot has.</param>
    public async Task StartAsync(string user, string example)
    {
        // Its processes are of several users.
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        await File.WriteAllTextAsync(Path.Combine(folder, "users"), user + "\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "dovecot.conf"), $$"""
            base_dir = {{folder}}/run
            state_dir = {{folder}}/state
            log_path = /dev/stderr
            protocols =
            ssl = no
            auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
            auth_realms = example.org
            auth_failure_delay = 0
            passdb {
              driver = passwd-file
              args = {{folder}}/users
            }
            userdb {
              driver = static
              args = uid=nobody gid=nogroup home=/nonexistent
            }

            """ + example);
        process = RunningProgram.Start(["/usr/sbin/dovecot", "-F", "-c", Path.Combine(folder, "dovecot.conf")], "/");
        while (!File.Exists(SocketPath))
        {
            Assert.False(process.HasExited, process.Error.Text);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            ProcessTree.Signal(process.Id, ProcessTree.Kill);
            await process.WaitAsync(TimeSpan.FromSeconds(30));
            await process.DisposeAsync();
        }

        Directory.Delete(folder, recursive: true);
    }
}
