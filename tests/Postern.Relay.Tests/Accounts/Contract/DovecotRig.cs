using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>
/// Dovecot's authentication service alone, in a directory of its own: over TCP by a wire that can be cut, and by its socket. Its users are files, which are read
/// at each login.
/// </summary>
public sealed class DovecotRig : IStoreRig
{
    private const string Silence = "it takes the connection and says nothing";

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string folder = Directory.CreateTempSubdirectory("postern-dovecot-").FullName;
    private readonly CutWire wire = new();
    private RunningProgram? server;
    private int port;

    public string Word => "dovecot";

    public StoreAbilities Abilities => StoreAbilities.Reload | StoreAbilities.Socket;

    public bool PresumesUsers => true;

    public bool PassesOn => true;

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
        [StoreFailure.Fails] = new("Dovecot cannot check logins for now, and its own log says why (temp_fail)", () =>
        {
            // Dovecot cannot read what should be a file for each user.
            Directory.Move(Users, Users + ".away");
            File.WriteAllText(Users, string.Empty);
            return Task.FromResult<Func<Task>>(() =>
            {
                File.Delete(Users);
                Directory.Move(Users + ".away", Users);
                return Task.CompletedTask;
            });
        }),
        [StoreFailure.NotThere] = new("there is no ", NothingAsync, () => Configure($"dovecot:{folder}/run/no-such-socket")),
        [StoreFailure.Refused] = new("that is the socket for Dovecot's own services", NothingAsync, () => Configure($"dovecot:{folder}/run/auth-userdb")),
    };

    /// <summary>Its socket for clients.</summary>
    public string SocketPath => Path.Combine(folder, "run", "auth-client");

    private string Users => Path.Combine(folder, "dict", "users");

    public async Task PutAsync(RigUser user)
    {
        var file = FileOf(user.Name);
        await File.WriteAllTextAsync(file + ".new", JsonSerializer.Serialize(new { password = $"{{PLAIN}}{user.Secrets[0]}" }, Json));
        File.Move(file + ".new", file, overwrite: true);
    }

    /// <summary>A user as a passdb of Dovecot's gives it, with any fields.</summary>
    public Task PutFieldsAsync(string name, object fields) => File.WriteAllTextAsync(FileOf(name), JsonSerializer.Serialize(fields, Json));

    public Task RemoveAsync(string name)
    {
        File.Delete(FileOf(name));
        return Task.CompletedTask;
    }

    public AccountSource Configure() => Configure(string.Create(CultureInfo.InvariantCulture, $"dovecot://127.0.0.1:{wire.Port}"));

    public AccountSource ConfigureSocket() => Configure($"dovecot:{SocketPath}");

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/dovecot"), "dovecot-core is not installed");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can start it");
        // Its processes are of several users.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

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
        Directory.Delete(folder, recursive: true);
    }

    private static Task<Func<Task>> NothingAsync() => Task.FromResult<Func<Task>>(static () => Task.CompletedTask);

    /// <summary>With the time that a configuration gives it which names none.</summary>
    private static AccountSource Configure(string uri)
    {
        var kind = AccountStores.All.Single(static k => k.Word == "dovecot");
        return kind.Read(new StoreKeys(), new AccountSource(uri, "mail.example.org") { Terms = new StoreTerms { MostQuestions = 200, Timeout = kind.UsualTimeout } });
    }

    /// <summary>Dovecot has MD5 for the names of files.</summary>
    private string FileOf(string name) => Path.Combine(Users, Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(name))));

    private async Task StartAsync()
    {
        server = RunningProgram.Start(["/usr/sbin/dovecot", "-F", "-c", Path.Combine(folder, "dovecot.conf")], "/");
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
        protocols =
        ssl = no
        auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 anonymous
        auth_username_chars =
        auth_username_format =
        auth_realms = mail.example.org
        auth_failure_delay = 0
        passdb {
          driver = dict
          args = {{folder}}/dict.conf
        }
        userdb {
          driver = static
          args = uid=nobody gid=nogroup home=/nonexistent
        }
        service auth {
          unix_listener auth-client {
            mode = 0666
          }
          inet_listener {
            address = 127.0.0.1
            port = {{port}}
          }
        }

        """);
}

public sealed class DovecotStoreContractTests(DovecotRig rig) : StoreContract<DovecotRig>(rig)
{
    [Theory]
    [InlineData("SCRAM-SHA-1")]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("DIGEST-MD5")]
    [InlineData("CRAM-MD5")]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    public async Task A_mechanism_of_Dovecots_is_passed_on_to_it(string mechanism)
    {
        // Dovecot's DIGEST-MD5 has what stands behind the sign for the realm.
        var (domain, typed) = mechanism == "DIGEST-MD5" ? ("@mail.example.org", "") : ("@example.org", "@example.org");
        var (lisa, shutOut) = (mechanism.ToLowerInvariant(), $"out-{mechanism.ToLowerInvariant()}");
        await Rig.PutAsync(new RigUser(lisa + domain, "tiger"));
        await Rig.PutFieldsAsync(shutOut + domain, new { password = "{PLAIN}tiger", nologin = "y", reason = "Moved away" });
        var verifiers = Open(Rig.ConfigureSocket());
        Assert.Null(await Store.OwnMechanisms!.LearnAsync(Ct));
        // Twice each: the connection serves on, whatever was said on it.
        for (var round = 0; round < 2; round++)
        {
            foreach (var (user, password) in new[] { (lisa, "tiger"), (lisa, "lion"), ("nobody", "tiger"), (shutOut, "tiger") })
            {
                SaslError? error = (user, password) == (lisa, "tiger") ? null : SaslError.BadCredentials;
                Assert.Equal(error, (await MechanismPlay.PlayAsync(verifiers, mechanism, user + typed, password, "192.0.2.1")).Error);
            }
        }
    }

    [Fact]
    public async Task What_every_user_can_use_is_what_Dovecot_offers_but_for_what_is_weak()
    {
        var verifiers = Open(Rig.ConfigureSocket());
        Assert.Equal(["PLAIN", "LOGIN"], verifiers.UsualMechanisms.Where(static name => name is not ("EXTERNAL" or "GSSAPI" or "OAUTHBEARER" or "XOAUTH2")));
        Assert.Null(await Store.OwnMechanisms!.LearnAsync(Ct));
        Assert.Equal(
            ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"],
            verifiers.UsualMechanisms.Where(static name => name is not ("EXTERNAL" or "GSSAPI" or "OAUTHBEARER" or "XOAUTH2")));
        Assert.Equal(["CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"], Store.OwnMechanisms.Offered);
    }
}
