using System.Globalization;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>Dovecot's authentication service alone, over TCP on loopback: one user with a password, and tokens that are signed with a key of the test.</summary>
internal sealed class DovecotAuth : IAsyncDisposable
{
    private const string PasswordMechanisms = "plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256";
    private const string TokenMechanisms = "oauthbearer xoauth2";

    private readonly RunningProgram process;

    private DovecotAuth(RunningProgram process, int port)
    {
        this.process = process;
        Port = port;
    }

    public int Port { get; }

    /// <param name="tokenKey">For HS256.</param>
    public static async Task<DovecotAuth> StartAsync(string directory, string user, string password, byte[] tokenKey)
    {
        var keys = Directory.CreateDirectory(Path.Combine(directory, "keys", "default", "HS256")).FullName;
        await File.WriteAllTextAsync(Path.Combine(keys, "default"), Convert.ToBase64String(tokenKey));
        await File.WriteAllTextAsync(Path.Combine(directory, "users"), $"{user}:{{PLAIN}}{password}\n");
        await File.WriteAllTextAsync(Path.Combine(directory, "oauth.conf"), $"introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={directory}/keys/\nusername_attribute = sub\n");
        var file = Path.Combine(directory, "dovecot.conf");
        var (process, port) = await ListeningProgram.StartAsync(async port =>
        {
            await File.WriteAllTextAsync(file, Configuration(directory, port));
            return [Peer.Require("dovecot"), "-F", "-c", file];
        });
        return new DovecotAuth(process, port);
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
        protocols =
        ssl = no
        auth_mechanisms = {{PasswordMechanisms}} {{TokenMechanisms}}
        auth_failure_delay = 0
        disable_plaintext_auth = no
        passdb {
          driver = oauth2
          mechanisms = {{TokenMechanisms}}
          args = {{directory}}/oauth.conf
        }
        passdb {
          driver = passwd-file
          mechanisms = {{PasswordMechanisms}}
          args = {{directory}}/users
        }
        userdb {
          driver = static
          args = uid=nobody gid=nogroup home=/nonexistent
        }
        # Without it each failure makes every later login from the same address wait longer.
        service anvil {
          unix_listener anvil-auth-penalty {
            mode = 0
          }
        }
        service auth {
          inet_listener {
            address = 127.0.0.1
            port = {{port}}
          }
        }

        """);
}
