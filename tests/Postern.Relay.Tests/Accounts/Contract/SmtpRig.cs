using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>
/// Dovecot's submission server on loopback, in a directory of its own; it is asked over a wire that can be cut. At 127.0.0.2 its certificate
/// has expired, at 127.0.0.3 it is for another name.
/// </summary>
public sealed class SmtpRig : IStoreRig
{
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string folder = Directory.CreateTempSubdirectory("postern-submission-").FullName;
    private readonly CutWire wire = new();
    private readonly TestAuthority authority = TestAuthority.Create("of the rig");
    private RunningProgram? server;
    private int port;

    public string Word => "smtp";

    public StoreAbilities Abilities => StoreAbilities.Reload;

    public bool PresumesUsers => true;

    public IReadOnlyDictionary<StoreFailure, StoreFault> Faults => new Dictionary<StoreFailure, StoreFault>
    {
        [StoreFailure.Stopped] = new("it cannot be reached: Connection refused", async () =>
        {
            await StopAsync();
            wire.Refuse();
            return async () =>
            {
                await StartAsync();
                wire.Pass();
            };
        }),
        [StoreFailure.Hangs] = new(Silence, () =>
        {
            ProcessTree.Signal(server!.Id, ProcessTree.Stop);
            return Task.FromResult<Func<Task>>(() =>
            {
                ProcessTree.Signal(server!.Id, ProcessTree.Continue);
                return Task.CompletedTask;
            });
        }) { IsSilent = true },
        [StoreFailure.HalfOpen] = new(Silence, () =>
        {
            wire.Swallow();
            return Task.FromResult<Func<Task>>(() =>
            {
                wire.Pass();
                return Task.CompletedTask;
            });
        }) { IsSilent = true },
        [StoreFailure.ExpiredCertificate] = new("TLS: wrong date: ", NothingAsync, () => Configure("127.0.0.2", port)),
        [StoreFailure.CertificateOfAnotherName] = new("TLS: wrong name: the certificate is for db.example.org", NothingAsync, () => Configure("127.0.0.3", port)),
    };

    private static string Silence => string.Create(CultureInfo.InvariantCulture, $"no answer within {new StoreTerms().Timeout.TotalSeconds} s");

    private string Authorities => Path.Combine(folder, "ca.pem");

    /// <summary>A file for each user, which is read at each login: what is changed there counts at once.</summary>
    private string Users => Path.Combine(folder, "dict", "users");

    public async Task PutAsync(RigUser user)
    {
        var file = FileOf(user.Name);
        await File.WriteAllTextAsync(file + ".new", JsonSerializer.Serialize(new { password = $"{{PLAIN}}{user.Secrets[0]}" }, Json));
        File.Move(file + ".new", file, overwrite: true);
    }

    public Task RemoveAsync(string name)
    {
        File.Delete(FileOf(name));
        return Task.CompletedTask;
    }

    public AccountSource Configure() => Configure("127.0.0.1", wire.Port);

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists("/usr/lib/dovecot/submission-login"), "dovecot-submissiond is not installed");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can start it");
        // Its processes are of several users.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        await File.WriteAllTextAsync(Authorities, authority.Certificate.ExportCertificatePem());
        await CertifyAsync("good", ["localhost"], [IPAddress.Loopback], TimeSpan.FromDays(10));
        await CertifyAsync("expired", ["localhost"], [IPAddress.Parse("127.0.0.2")], TimeSpan.FromHours(1));
        await CertifyAsync("other", ["db.example.org"], [], TimeSpan.FromDays(10));
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Directory.CreateDirectory(Path.Combine(folder, "mail")).FullName, (UnixFileMode)0x1ff);
        Directory.CreateDirectory(Users);
        await File.WriteAllTextAsync(Path.Combine(folder, "dict.conf"), $"uri = fs:posix:prefix={folder}/dict/\nkey passdb {{\n  key = users/%Mu\n  format = json\n}}\npassdb_objects = passdb\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "dovecot.conf"), Configuration());
        await StartAsync();
        wire.To = port;
        wire.Pass();
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
            await StopAsync();
        wire.Dispose();
        authority.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static Task<Func<Task>> NothingAsync() => Task.FromResult<Func<Task>>(static () => Task.CompletedTask);

    private AccountSource Configure(string host, int to) => AccountStores.All.Single(static k => k.Word == "smtp").Read(
        new StoreKeys(("tls", "verify"), ("ca", Authorities)),
        new AccountSource(string.Create(CultureInfo.InvariantCulture, $"smtp://{host}:{to}"), "mail.example.org") { Terms = new StoreTerms { MostQuestions = 200 } });

    /// <summary>Dovecot has MD5 for the names of files.</summary>
    private string FileOf(string name) => Path.Combine(Users, Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(name))));

    /// <param name="validFor">From yesterday on.</param>
    private async Task CertifyAsync(string file, string[] names, IPAddress[] addresses, TimeSpan validFor)
    {
        using var certificate = authority.IssueServer(names, addresses, validFor: validFor);
        using var key = certificate.GetECDsaPrivateKey()!;
        await File.WriteAllTextAsync(Path.Combine(folder, file + ".crt"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(folder, file + ".key"), key.ExportPkcs8PrivateKeyPem());
    }

    private async Task StartAsync()
    {
        server = RunningProgram.Start(["dovecot", "-F", "-c", Path.Combine(folder, "dovecot.conf")], "/");
        while (true)
        {
            Assert.False(server.HasExited, server.Error.Text);
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException)
            {
                // It does not tell when it is ready: asking is the only way.
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }
    }

    private async Task StopAsync()
    {
        ProcessTree.Signal(server!.Id, ProcessTree.Kill);
        await server.WaitAsync(TimeSpan.FromSeconds(30));
        await server.DisposeAsync();
    }

    private string Configuration() => string.Create(CultureInfo.InvariantCulture, $$"""
        base_dir = {{folder}}/run
        state_dir = {{folder}}/state
        log_path = /dev/stderr
        protocols = submission
        listen = 127.0.0.1, 127.0.0.2, 127.0.0.3
        hostname = submission.test
        submission_relay_host = 127.0.0.1
        submission_backend_capabilities = 8BITMIME
        mail_max_userip_connections = 0
        mail_location = maildir:{{folder}}/mail
        ssl = required
        ssl_cert = <{{folder}}/good.crt
        ssl_key = <{{folder}}/good.key
        auth_mechanisms = plain login scram-sha-1 scram-sha-256
        auth_username_chars =
        auth_username_format =
        auth_failure_delay = 0
        passdb {
          driver = dict
          args = {{folder}}/dict.conf
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
        # One process for all who have not logged in yet, in place of one each.
        service submission-login {
          chroot =
          service_count = 0
          process_limit = 1
          client_limit = 1000
          inet_listener submission {
            port = {{port}}
          }
        }
        local 127.0.0.2 {
          ssl_cert = <{{folder}}/expired.crt
          ssl_key = <{{folder}}/expired.key
        }
        local 127.0.0.3 {
          ssl_cert = <{{folder}}/other.crt
          ssl_key = <{{folder}}/other.key
        }

        """);
}

public sealed class SmtpStoreContractTests(SmtpRig rig) : StoreContract<SmtpRig>(rig);
