using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>A database file of another program.</summary>
public sealed class SqliteRig : IStoreRig
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-sqlite-").FullName;

    public string Word => "sqlite";

    public StoreAbilities Abilities => SqlUsers.Abilities;

    public IReadOnlyDictionary<StoreFailure, StoreFault> Faults => new Dictionary<StoreFailure, StoreFault>
    {
        [StoreFailure.Stopped] = new("there is no such file, or it cannot be opened", () => AsideAsync(static _ => { })),
        [StoreFailure.Damaged] = new("the file is no database", () => AsideAsync(static path => File.WriteAllText(path, new string('x', 8192)))),
        [StoreFailure.Locked] = new("another program has locked the database", () =>
        {
            var other = Connect();
            Execute(other, "begin exclusive");
            return Task.FromResult<Func<Task>>(() =>
            {
                Execute(other, "rollback");
                other.Dispose();
                return Task.CompletedTask;
            });
        }),
        [StoreFailure.MissingColumn] = new("its query has no column password; it has: email, stored", NothingAsync, () => Configure("select email, tenant as stored from users where email = @user")),
        [StoreFailure.MissingTable] = new("no such table: people", NothingAsync, () => Configure("select password from people where email = @user")),
        [StoreFailure.TooLarge] = new("longer than 64 KiB", NothingAsync, () => Configure("select hex(zeroblob(5000000)) as password, @user as email")),
        [StoreFailure.SeveralAccounts] = new("the query finds more than one account", NothingAsync, () => Configure("select 'x' as password, 'one' as name, @user as email union select 'x', 'two', ''")),
    };

    private string File_ => Path.Combine(folder, "users.db");

    public Task PutAsync(RigUser user)
    {
        using var connection = Connect();
        Execute(connection, "begin immediate");
        Remove(connection, user.Name);
        SqlUsers.Insert(connection, user);
        Execute(connection, "commit");
        return Task.CompletedTask;
    }

    public Task RemoveAsync(string name)
    {
        using var connection = Connect();
        Remove(connection, name);
        return Task.CompletedTask;
    }

    public AccountSource Configure() => Configure(SqlUsers.Query);

    public ValueTask InitializeAsync()
    {
        using var connection = Connect();
        Execute(connection, SqlUsers.Schema);
        return default;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return default;
    }

    internal AccountSource Configure(string query) => AccountStores.All.Single(static k => k.Word == "sqlite").Read(
        new StoreKeys(("query", query)), new AccountSource($"sqlite://{File_}", "mail.example.org") { Terms = new StoreTerms() });

    private static Task<Func<Task>> NothingAsync() => Task.FromResult<Func<Task>>(static () => Task.CompletedTask);

    private static void Remove(SqliteConnection connection, string name) => SqlUsers.Remove(connection, name);

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private Task<Func<Task>> AsideAsync(Action<string> instead)
    {
        File.Move(File_, File_ + ".aside");
        instead(File_);
        return Task.FromResult<Func<Task>>(() =>
        {
            File.Move(File_ + ".aside", File_, overwrite: true);
            return Task.CompletedTask;
        });
    }

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection($"Data Source={File_};Pooling=False");
        connection.Open();
        return connection;
    }
}

public sealed class SqliteStoreContractTests(SqliteRig rig) : StoreContract<SqliteRig>(rig);
