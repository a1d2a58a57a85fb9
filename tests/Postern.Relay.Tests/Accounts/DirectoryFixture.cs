using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Tests.Policy;
using Postern.Sasl;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A directory in a folder of its own, with the commands that fill it.</summary>
internal sealed class DirectoryFixture : IDisposable
{
    private readonly Lazy<HashingPool> pool = new(static () => new HashingPool(new HashingPoolOptions { Threads = 1 }));
    private readonly string folder = Directory.CreateTempSubdirectory("postern-directory-").FullName;

    /// <param name="busyTimeout">Long by default: the machine may be busy. Short where a lock is what the test is about.</param>
    public DirectoryFixture(TimeSpan? busyTimeout = null)
    {
        Options = new SqliteDirectoryOptions(Path.Combine(folder, "directory.db")) { BusyTimeout = busyTimeout ?? TimeSpan.FromSeconds(20), Clock = Clock };
        Database = SqliteDirectory.Open(Options);
        Commands = new DirectoryCommands(Database, Clock);
        Queries = new DirectoryQueries(Database, Clock);
    }

    public ManualClock Clock { get; } = new();

    public SqliteDirectoryOptions Options { get; }

    public string File => Options.Path;

    /// <summary>A file in the same folder.</summary>
    public string Beside(string name) => Path.Combine(folder, name);

    public SqliteDirectory Database { get; }

    public DirectoryCommands Commands { get; }

    public DirectoryQueries Queries { get; }

    /// <summary>One thread, so that what is hashed is hashed in order.</summary>
    public HashingPool Pool => pool.Value;

    /// <summary>As the configuration names it.</summary>
    public IAccountStore Store(string uri = "directory", string realm = "mail.example.org") => AccountStores.Open(StoreContext, new AccountSource(uri, realm));

    public StoreContext StoreContext => new(Database, new Decoys(Database.DecoyKey.Span), Audit, Clock);

    public RecordingAuditLog Audit { get; } = new();

    /// <summary>Adds an account with one generated credential and answers with it.</summary>
    public string AddAccount(string name, string? label = null, TimeSpan? life = null)
    {
        Commands.Accounts.Add(new AddAccount(name, [], []));
        return AddCredential(name, label, life);
    }

    public string AddCredential(string account, string? label = null, TimeSpan? life = null) =>
        Assert.IsType<AdminOutcome.Issued>(Commands.Credentials.Add(new AddCredential(account, Label: label, ExpiresAfter: life))).Generated!.Reveal();

    /// <summary>Stores a hash as an import would.</summary>
    public void AddStoredHash(string account, string hash)
    {
        Commands.Accounts.Add(new AddAccount(account, [], []));
        Execute("insert into credentials (account_id, secret, generated, created_at) select id, @hash, 0, 0 from accounts where name = @account", ("@hash", hash), ("@account", account));
    }

    /// <summary>What another process would do: a connection that the directory knows nothing of.</summary>
    public void Execute(string sql, params (string Name, object Value)[] parameters)
    {
        using var other = Connect();
        using var command = other.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        command.ExecuteNonQuery();
    }

    public SqliteConnection Connect()
    {
        var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        return connection;
    }

    public void Dispose()
    {
        if (pool.IsValueCreated)
            pool.Value.Dispose();
        Database.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
