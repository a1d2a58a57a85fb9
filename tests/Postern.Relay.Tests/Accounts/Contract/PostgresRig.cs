using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Npgsql;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>A PostgreSQL server on loopback, in a directory of its own; it is asked over a wire that can be cut.</summary>
public sealed class PostgresRig : IStoreRig
{
    private const string Secret = "password-of-the-service";

    private readonly string folder = Directory.CreateTempSubdirectory("postern-postgres-").FullName;
    private readonly CutWire wire = new();
    private readonly TestAuthority authority = TestAuthority.Create("of the rig");
    private RunningProgram? server;
    private string? programs;
    private int port;

    public string Word => "postgres";

    public string ServicePassword => Secret;

    public StoreAbilities Abilities => SqlUsers.Abilities;

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
        [StoreFailure.Hangs] = new("no answer within 2 s", () =>
        {
            ProcessTree.Signal(server!.Id, ProcessTree.Stop);
            return Task.FromResult<Func<Task>>(() =>
            {
                ProcessTree.Signal(server!.Id, ProcessTree.Continue);
                return Task.CompletedTask;
            });
        }) { IsSilent = true },
        [StoreFailure.HalfOpen] = new("no answer within 2 s", () =>
        {
            wire.Swallow();
            return Task.FromResult<Func<Task>>(() =>
            {
                wire.Pass();
                return Task.CompletedTask;
            });
        }) { IsSilent = true },
        [StoreFailure.WrongServicePassword] = new("password authentication failed for user \"app\"", NothingAsync, () => Configure(SqlUsers.Query, "not-" + Secret[..4])),
        [StoreFailure.ExpiredCertificate] = new("TLS: ", () => ShowAsync(["localhost"], [IPAddress.Loopback], TimeSpan.FromHours(1)), Configure),
        [StoreFailure.CertificateOfAnotherName] = new("TLS: ", () => ShowAsync(["db.example.org"], [], TimeSpan.FromDays(10)), Configure),
        [StoreFailure.MissingColumn] = new("its query has no column password; it has: email, stored", NothingAsync, () => Configure("select email, tenant as stored from users where email = @user", Secret)),
        [StoreFailure.MissingTable] = new("relation \"people\" does not exist", NothingAsync, () => Configure("select password from people where email = @user", Secret)),
        [StoreFailure.TooLarge] = new("longer than 64 KiB", NothingAsync, () => Configure("select repeat('x', 10000000) as password, @user::text as email", Secret)),
        [StoreFailure.SeveralAccounts] = new("the query finds more than one account", NothingAsync, () => Configure("select 'x' as password, 'one' as name, @user::text as email union select 'x', 'two', ''", Secret)),
    };

    private string Authorities => Path.Combine(folder, "ca.pem");

    public async Task PutAsync(RigUser user)
    {
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        SqlUsers.Remove(connection, user.Name);
        SqlUsers.Insert(connection, user);
        await transaction.CommitAsync();
    }

    public async Task RemoveAsync(string name)
    {
        await using var connection = await ConnectAsync();
        SqlUsers.Remove(connection, name);
    }

    public AccountSource Configure() => Configure(SqlUsers.Query, Secret);

    public async ValueTask InitializeAsync()
    {
        programs = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Select(static d => Path.Combine(d, "bin")).LastOrDefault() : null;
        Assert.SkipWhen(programs is null, "postgresql is not installed");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can start it as another user");
        await File.WriteAllTextAsync(Path.Combine(folder, "secret"), Secret + "\n");
        Succeeded(await RunningProgram.RunAsync(["chown", "-R", "postgres", folder]));
        Succeeded(await RunAsync(Path.Combine(programs!, "initdb"), "-D", Path.Combine(folder, "data"), "-U", "app", "-A", "scram-sha-256", "--pwfile", Path.Combine(folder, "secret"), "-E", "UTF8", "--locale", "C.UTF-8", "-N"));
        await File.WriteAllTextAsync(Authorities, authority.Certificate.ExportCertificatePem());
        await CertifyAsync(["localhost"], [IPAddress.Loopback], TimeSpan.FromDays(10));
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        await StartAsync();
        wire.To = port;
        wire.Pass();
        await using var connection = await ConnectAsync();
        SqlUsers.Execute(connection, SqlUsers.Schema);
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

    private static void Succeeded(ProgramResult result) => Assert.True(result.ExitCode == 0, result.Output + result.Error);

    private static Task<ProgramResult> RunAsync(params string[] command) => RunningProgram.RunAsync(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--", .. command], "/");

    private AccountSource Configure(string query, string password) => AccountStores.All.Single(static k => k.Word == "postgres").Read(
        new StoreKeys(("query", query), ("password", password), ("tls", "verify"), ("ca", Authorities)),
        new AccountSource(string.Create(CultureInfo.InvariantCulture, $"postgres://app@127.0.0.1:{wire.Port}/postgres"), "mail.example.org") { Terms = new StoreTerms() });

    /// <summary>The server shows this certificate to whoever connects from now on.</summary>
    private async Task<Func<Task>> ShowAsync(string[] names, IPAddress[] addresses, TimeSpan validFor)
    {
        await CertifyAsync(names, addresses, validFor);
        await ReloadAsync();
        return async () =>
        {
            await CertifyAsync(["localhost"], [IPAddress.Loopback], TimeSpan.FromDays(10));
            await ReloadAsync();
        };
    }

    /// <param name="validFor">From yesterday on.</param>
    private async Task CertifyAsync(string[] names, IPAddress[] addresses, TimeSpan validFor)
    {
        using var certificate = authority.IssueServer(names, addresses, validFor: validFor);
        using var key = certificate.GetECDsaPrivateKey()!;
        var (certificateFile, keyFile) = (Path.Combine(folder, "data", "server.crt"), Path.Combine(folder, "data", "server.key"));
        await File.WriteAllTextAsync(certificateFile, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());
        Succeeded(await RunningProgram.RunAsync(["chmod", "600", keyFile]));
        Succeeded(await RunningProgram.RunAsync(["chown", "postgres", certificateFile, keyFile]));
    }

    private async Task ReloadAsync()
    {
        var before = await LoadedAtAsync();
        RunningProgram.SendHangUp(server!.Id);
        while (await LoadedAtAsync() == before)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
    }

    private async Task<string?> LoadedAtAsync()
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand("select pg_conf_load_time()::text", connection);
        return (string?)await command.ExecuteScalarAsync();
    }

    private async Task StartAsync()
    {
        server = RunningProgram.Start(
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--", Path.Combine(programs!, "postgres"), "-D", Path.Combine(folder, "data"), "-k", folder, "-h", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), "-F", "-c", "ssl=on", "-c", "autovacuum=off"], "/");
        while (true)
        {
            Assert.False(server.HasExited, server.Error.Text);
            try
            {
                await using var connection = await ConnectAsync();
                return;
            }
            catch (NpgsqlException)
            {
                // It does not tell when it is ready: asking is the only way.
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }

    /// <summary>As the machine does when it has no memory left.</summary>
    private async Task StopAsync()
    {
        ProcessTree.Signal(server!.Id, ProcessTree.Kill);
        await server.WaitAsync(TimeSpan.FromSeconds(30));
        await server.DisposeAsync();
        File.Delete(Path.Combine(folder, "data", "postmaster.pid"));
    }

    private async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=app;Password={Secret};Database=postgres;Pooling=false;SSL Mode=Disable;GSS Encryption Mode=Disable"));
        await connection.OpenAsync();
        return connection;
    }
}

public sealed class PostgresStoreContractTests(PostgresRig rig) : StoreContract<PostgresRig>(rig);
