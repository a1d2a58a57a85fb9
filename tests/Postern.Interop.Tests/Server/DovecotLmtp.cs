using System.Globalization;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>Dovecot with the mailbox of one user, reached by LMTP over a Unix socket and over TCP.</summary>
internal sealed class DovecotLmtp : IAsyncDisposable
{
    public const string User = "lisa";

    private readonly RunningProgram process;
    private readonly string directory;

    private DovecotLmtp(RunningProgram process, string directory, int port)
    {
        (this.process, this.directory, Port) = (process, directory, port);
    }

    public int Port { get; }

    public string Socket => Path.Combine(directory, "lmtp");

    public static void Require()
    {
        Peer.Require("dovecot");
        Assert.SkipUnless(File.Exists("/usr/lib/dovecot/lmtp"), "dovecot-lmtpd is not installed");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Dovecot is started by root");
    }

    public static async Task<DovecotLmtp> StartAsync(string directory)
    {
        const UnixFileMode Open = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        // It delivers as nobody.
        File.SetUnixFileMode(directory, Open);
        Directory.CreateDirectory(Path.Combine(directory, "mail"));
        File.SetUnixFileMode(Path.Combine(directory, "mail"), Open | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite);
        await File.WriteAllTextAsync(Path.Combine(directory, "users"), $"{User}:{{PLAIN}}x\n");
        var file = Path.Combine(directory, "dovecot.conf");
        var (process, port) = await ListeningProgram.StartAsync(async port =>
        {
            await File.WriteAllTextAsync(file, Configuration(directory, port));
            return [Peer.Require("dovecot"), "-F", "-c", file];
        });
        return new DovecotLmtp(process, directory, port);
    }

    /// <summary>The messages of the user, oldest first.</summary>
    public IReadOnlyList<string> Messages()
    {
        var place = Path.Combine(directory, "mail", User, "new");
        return Directory.Exists(place) ? [.. Directory.GetFiles(place).Order(StringComparer.Ordinal).Select(File.ReadAllText)] : [];
    }

    public async ValueTask DisposeAsync()
    {
        process.SendTerminate();
        await process.WaitAsync(TimeSpan.FromSeconds(30));
        await process.DisposeAsync();
    }

    private static string Configuration(string directory, int port) => string.Create(CultureInfo.InvariantCulture, $$"""
        base_dir = {{directory}}/run
        state_dir = {{directory}}/state
        log_path = /dev/stderr
        protocols = lmtp
        ssl = no
        auth_username_format = %n
        mail_location = maildir:{{directory}}/mail/%n
        mail_uid = nobody
        mail_gid = nogroup
        first_valid_uid = 1
        first_valid_gid = 1
        passdb {
          driver = passwd-file
          args = {{directory}}/users
        }
        userdb {
          driver = static
          args = uid=nobody gid=nogroup home={{directory}}/mail/%n
        }
        service lmtp {
          unix_listener {{directory}}/lmtp {
            mode = 0600
          }
          inet_listener lmtp {
            address = 127.0.0.1
            port = {{port}}
          }
        }

        """);
}
