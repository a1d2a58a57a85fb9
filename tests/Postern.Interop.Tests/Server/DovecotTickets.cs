using System.Globalization;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>Dovecot's authentication service over TCP on loopback, for a realm's tickets alone.</summary>
internal sealed class DovecotTickets : IAsyncDisposable
{
    private readonly RunningProgram process;

    private DovecotTickets(RunningProgram process, int port)
    {
        this.process = process;
        Port = port;
    }

    /// <summary>Whether Dovecot and its module are installed.</summary>
    public static bool IsHere => Peer.Find("dovecot") is not null && File.Exists("/usr/lib/dovecot/modules/auth/libmech_gssapi.so");

    public int Port { get; }

    public static async Task<DovecotTickets> StartAsync(string directory, KerberosRealm realm)
    {
        var file = Path.Combine(directory, "dovecot.conf");
        var (process, port) = await ListeningProgram.StartAsync(
            async port =>
            {
                await File.WriteAllTextAsync(file, Configuration(directory, realm, port));
                return [Peer.Require("dovecot"), "-F", "-c", file];
            },
            new Dictionary<string, string>(StringComparer.Ordinal) { ["KRB5_CONFIG"] = realm.ConfigFile, ["KRB5RCACHENAME"] = "none:" });
        return new DovecotTickets(process, port);
    }

    public async ValueTask DisposeAsync()
    {
        process.SendTerminate();
        await process.WaitAsync(TimeSpan.FromSeconds(30));
        await process.DisposeAsync();
    }

    private static string Configuration(string directory, KerberosRealm realm, int port) => string.Create(CultureInfo.InvariantCulture, $$"""
        base_dir = {{directory}}/run
        state_dir = {{directory}}/state
        log_path = /dev/stderr
        import_environment = KRB5_CONFIG KRB5RCACHENAME
        protocols =
        ssl = no
        auth_mechanisms = gssapi
        # As it stands in the ticket: in small letters it would be another, and its principal must be named to be believed.
        auth_username_format = %u
        auth_krb5_keytab = {{realm.Keytab}}
        auth_gssapi_hostname = localhost
        passdb {
          driver = static
          args = nopassword=y k5principals=%u
        }
        userdb {
          driver = static
          args = uid=nobody gid=nogroup home=/nonexistent
        }
        # The keytab is root's.
        service auth {
          user = root
          inet_listener {
            address = 127.0.0.1
            port = {{port}}
          }
        }

        """);
}
