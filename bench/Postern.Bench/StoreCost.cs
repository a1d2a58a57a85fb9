using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using MySqlConnector;
using Npgsql;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Testing.Databases;

namespace Postern.Bench;

/// <summary>
/// Verified logins a second, and what a thousand cost this process, for each store: with everything looked up and hashed anew (cold), and
/// with what is remembered (cached). Users have SCRAM-SHA-256 as it is made for them; those of <c>digest</c> have its hash. Sixteen log in
/// at a time, on one hashing thread less than there are cores.
/// </summary>
internal static class StoreCost
{
    private const int Users = 500;
    private const int AtATime = 16;
    private const string Realm = "bench.example.org";
    private const string Query = "select password, email as name from users where email = @user";
    private const string Table = "create table users (email varchar(255) primary key, password varchar(500) not null)";

    public static async Task RunAsync(int cold, int cached)
    {
        var folder = Directory.CreateTempSubdirectory("postern-bench-");
        try
        {
            using var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(folder.FullName, "directory.db")));
            var context = new StoreContext(directory, new Decoys(directory.DecoyKey.Span), NoAuditLog.Instance, TimeProvider.System);
            string[] stored = [.. Enumerable.Range(0, Users).Select(static i => ScramHash.Create(new Secret(Password(i)), ScramHash.GeneratedIterations, Encoding.ASCII.GetBytes($"salt-of-user-{i:0000}")).Stored)];
            Console.WriteLine($"{"store",-12} {"cold, logins/s",15} {"CPU ms/1000",12} {"cached, logins/s",17} {"CPU ms/1000",12}");
            foreach (var (word, source) in Local(folder.FullName, stored))
                await MeasureAsync(word, context, source, cold, cached);
            await using var postgres = new PostgresServer();
            await MeasureServerAsync(context, postgres, "postgres", PostgresServer.Database, stored, cold, cached);
            await using var maria = new MariaServer();
            await MeasureServerAsync(context, maria, "mysql", MariaServer.Database, stored, cold, cached);
        }
        finally
        {
            SqliteConnection.ClearAllPools();
            folder.Delete(recursive: true);
        }
    }

    private static IEnumerable<(string Word, Func<StoreTerms, AccountSource> Source)> Local(string folder, string[] stored)
    {
        using (var connection = new SqliteConnection($"Data Source={folder}/directory.db"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = string.Concat(stored.Select(static (form, i) =>
                $"insert into accounts (name, enabled, created_at) values ('{Name(i)}', 1, 0);"
                    + $"insert into credentials (account_id, secret, generated, created_at) values (last_insert_rowid(), '{form}', 1, 0);"));
            command.ExecuteNonQuery();
        }

        yield return ("directory", static _ => new AccountSource("directory", Realm));
        yield return ("users", _ => Read("users", "users", new StoreKeys { Named = [.. stored.Select(static (form, i) => (Name(i), new Secret(form)))] }, new StoreTerms()));
        File.WriteAllLines(Path.Combine(folder, "passwd"), stored.Select(static (form, i) => $"{Name(i)}:{form}"));
        yield return ("file", _ => new AccountSource($"file://{folder}/passwd", Realm));
        File.WriteAllLines(Path.Combine(folder, "digest"), stored.Select(static (_, i) => $"{Name(i)}:{Realm}:{Convert.ToHexStringLower(DigestSecret.Derive(Name(i), Realm, Password(i)))}"));
        yield return ("digest", _ => new AccountSource($"digest://{folder}/digest", Realm));
        using (var connection = new SqliteConnection($"Data Source={folder}/users.db"))
            Fill(connection, stored);
        yield return ("sqlite", terms => Read("sqlite", $"sqlite://{folder}/users.db", new StoreKeys(("query", Query)), terms));
    }

    private static async Task MeasureServerAsync(StoreContext context, DatabaseServer server, string word, string database, string[] stored, int cold, int cached)
    {
        if (server.WhyNot() is { } why)
        {
            Console.WriteLine($"{word,-12} {why}");
            return;
        }

        await server.InitializeAsync();
        var port = server.Port.ToString(CultureInfo.InvariantCulture);
        await using (DbConnection connection = word == "mysql"
            ? new MySqlConnection($"Server=127.0.0.1;Port={port};User={DatabaseServer.User};Password={DatabaseServer.Password};Database={database};SslMode=None;Pooling=false")
            : new NpgsqlConnection($"Host=127.0.0.1;Port={port};Username={DatabaseServer.User};Password={DatabaseServer.Password};Database={database};Pooling=false"))
            Fill(connection, stored);
        await MeasureAsync(
            word,
            context,
            terms => Read(word, $"{word}://{DatabaseServer.User}@127.0.0.1:{port}/{database}", new StoreKeys(("query", Query), ("password", DatabaseServer.Password)), terms),
            cold,
            cached);
    }

    private static AccountSource Read(string word, string uri, StoreKeys keys, StoreTerms terms) =>
        AccountStores.All.Single(k => k.Word == word).Read(keys, new AccountSource(uri, Realm) { Terms = terms });

    private static void Fill(DbConnection connection, string[] stored)
    {
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = Table;
        command.ExecuteNonQuery();
        command.CommandText = $"insert into users values {string.Join(", ", stored.Select(static (form, i) => $"('{Name(i)}', '{form}')"))}";
        command.ExecuteNonQuery();
    }

    private static async Task MeasureAsync(string word, StoreContext context, Func<StoreTerms, AccountSource> source, int cold, int cached)
    {
        using var pool = new HashingPool(new HashingPoolOptions());
        var (one, two) = (default(Cost), default(Cost));
        using (var store = AccountStores.Open(context, source(new StoreTerms { Remember = TimeSpan.Zero })))
        {
            var verifiers = new AccountVerifiers([store], pool, new VerificationCache(Users, TimeSpan.Zero, TimeProvider.System), TimeProvider.System) { Decoys = context.Decoys };
            await LogInAsync(verifiers, Users);
            one = await LogInAsync(verifiers, cold);
        }

        using (var store = AccountStores.Open(context, source(new StoreTerms())))
        {
            var verifiers = new AccountVerifiers([store], pool, new VerificationCache(2 * Users, TimeSpan.FromHours(1), TimeProvider.System), TimeProvider.System) { Decoys = context.Decoys };
            await LogInAsync(verifiers, Users);
            two = await LogInAsync(verifiers, cached);
        }

        Console.WriteLine($"{word,-12} {one.PerSecond,15:0} {one.Milliseconds,12:0.0} {two.PerSecond,17:0} {two.Milliseconds,12:0.00}");
    }

    private static async Task<Cost> LogInAsync(AccountVerifiers verifiers, int count)
    {
        var next = -1;
        using var process = Process.GetCurrentProcess();
        var (begun, spent) = (Stopwatch.GetTimestamp(), process.TotalProcessorTime);
        await Task.WhenAll(Enumerable.Range(0, AtATime).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var i && i < count)
            {
                var user = i % Users;
                if (await verifiers.Passwords.CheckAsync(Name(user), Encoding.UTF8.GetBytes(Password(user)), "192.0.2.1", CancellationToken.None) is var answer and not LoginAnswer.Match)
                    throw new InvalidOperationException($"{answer}");
            }
        })));
        process.Refresh();
        return new Cost(count / Stopwatch.GetElapsedTime(begun).TotalSeconds, (process.TotalProcessorTime - spent).TotalMilliseconds * 1000 / count);
    }

    private static string Name(int number) => $"user{number:0000}@example.org";

    private static string Password(int number) => $"secret of {number}";

    /// <param name="Milliseconds">Of processor time of this process, for a thousand logins.</param>
    private readonly record struct Cost(double PerSecond, double Milliseconds);
}
