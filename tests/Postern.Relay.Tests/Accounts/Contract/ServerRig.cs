using System.Data.Common;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Testing.Databases;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>A database server that a query asks, over a wire that can be cut.</summary>
public abstract class ServerRig<TServer>(TServer server) : IStoreRig
    where TServer : DatabaseServer
{
    public abstract string Word { get; }

    public string ServicePassword => DatabaseServer.Password;

    public StoreAbilities Abilities => SqlUsers.Abilities;

    public IReadOnlyDictionary<StoreFailure, StoreFault> Faults => new Dictionary<StoreFailure, StoreFault>
    {
        [StoreFailure.Stopped] = new(Refused, async () =>
        {
            await server.KillAsync();
            Wire.Refuse();
            return async () =>
            {
                await server.StartAsync();
                Wire.Pass();
            };
        }),
        [StoreFailure.Hangs] = new(Silence, () =>
        {
            server.Pause();
            return Task.FromResult<Func<Task>>(() =>
            {
                server.Continue();
                return Task.CompletedTask;
            });
        }) { IsSilent = true },
        [StoreFailure.HalfOpen] = new(Silence, () =>
        {
            Wire.Swallow();
            return Task.FromResult<Func<Task>>(() =>
            {
                Wire.Pass();
                return Task.CompletedTask;
            });
        }) { IsSilent = true },
        [StoreFailure.WrongServicePassword] = new(WrongPassword, NothingAsync, () => Configure(SqlUsers.Query, "not-" + DatabaseServer.Password[..4])),
        [StoreFailure.ExpiredCertificate] = new(Expired, () => ShowAsync(["localhost"], [IPAddress.Loopback], TimeSpan.FromHours(1)), Configure),
        [StoreFailure.CertificateOfAnotherName] = new(OfAnotherName, () => ShowAsync(["db.example.org"], [], TimeSpan.FromDays(10)), Configure),
        [StoreFailure.MissingColumn] = new(
            "its query has no column password; it has: name, stored", NothingAsync, () => Configure("select email as name, tenant as stored from users where email = @user", ServicePassword)),
        [StoreFailure.MissingTable] = new(NoTable, NothingAsync, () => Configure("select password, email as name from people where email = @user", ServicePassword)),
        [StoreFailure.TooLarge] = new("longer than 64 KiB", NothingAsync, () => Configure(LargeQuery, ServicePassword)),
        [StoreFailure.SeveralAccounts] = new("the query finds more than one account", NothingAsync, () => Configure(QueryOfSeveral, ServicePassword)),
    };

    protected TServer Server => server;

    private protected CutWire Wire { get; } = new();

    protected virtual string Refused => "it cannot be reached";

    protected virtual string Expired => "TLS: its certificate is out of date";

    protected virtual string OfAnotherName => "TLS: its certificate is for another name";

    protected abstract string WrongPassword { get; }

    protected abstract string NoTable { get; }

    /// <summary>A password of 10 MB.</summary>
    protected abstract string LargeQuery { get; }

    /// <summary>Two accounts for any name.</summary>
    protected abstract string QueryOfSeveral { get; }

    private static string Silence => $"no answer within {new StoreTerms().Timeout.TotalSeconds:0} s";

    public async Task PutAsync(RigUser user)
    {
        await using var connection = await ConnectAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        SqlUsers.Remove(connection, user.Name, transaction);
        SqlUsers.Insert(connection, user, transaction);
        await transaction.CommitAsync();
    }

    public async Task RemoveAsync(string name)
    {
        await using var connection = await ConnectAsync();
        SqlUsers.Remove(connection, name);
    }

    public virtual bool CanHold(string name) => true;

    public AccountSource Configure() => Configure(SqlUsers.Query, ServicePassword);

    public abstract AccountSource ConfigureSocket();

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(server.WhyNot() is not null, server.WhyNot() ?? "");
        await server.InitializeAsync();
        Wire.To = server.Port;
        Wire.Pass();
        await using var connection = await ConnectAsync();
        SqlUsers.Execute(connection, SqlUsers.Schema);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        Wire.Dispose();
        GC.SuppressFinalize(this);
    }

    public AccountSource Configure(string query) => Configure(query, ServicePassword);

    protected abstract AccountSource Configure(string query, string password);

    protected abstract Task<DbConnection> ConnectAsync();

    /// <summary>Comes back when the server shows the certificate of its file.</summary>
    protected abstract Task ReloadAsync();

    protected AccountSource Read(string uri, params (string Key, string Value)[] keys) => AccountStores.All.Single(k => k.Word == Word).Read(
        new StoreKeys(keys), new AccountSource(uri, "mail.example.org") { Terms = new StoreTerms() });

    private static Task<Func<Task>> NothingAsync() => Task.FromResult<Func<Task>>(static () => Task.CompletedTask);

    private async Task<Func<Task>> ShowAsync(string[] names, IPAddress[] addresses, TimeSpan validFor)
    {
        await server.CertifyAsync(names, addresses, validFor);
        await ReloadAsync();
        return async () =>
        {
            await server.CertifyAsync();
            await ReloadAsync();
        };
    }
}
