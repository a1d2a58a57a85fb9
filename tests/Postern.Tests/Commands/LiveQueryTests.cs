using System.Data.Common;
using System.Globalization;
using System.Net;
using Microsoft.Data.Sqlite;
using MySqlConnector;
using Npgsql;
using Postern.Commands.Output;
using Postern.Testing.Databases;

namespace Postern.Tests.Commands;

/// <summary>What <c>check --live</c> says of a database that cannot answer: what is wrong there, and what to do.</summary>
public sealed class LiveQueryTests(LiveQueryTests.Servers servers) : IClassFixture<LiveQueryTests.Servers>
{
    private const string Schema = "create table users (email varchar(200), secret varchar(200))";

    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "sqlite", "select password from people where email = @user", "no such table: people: the key 'query' names it; is it another database, or another name?" },
        { "sqlite", "select password from users where email = @user", "no such column: password: the key 'query' names it, and its tables have none of that name" },
        { "sqlite", "select email, secret from users where email = @user", "its query has no column password; it has: email, secret; call the right one so: select ... as password" },
        { "sqlite", "select secret from users wher email = @user", "near \"email\": syntax error: mend the key 'query'" },
        { "postgres", "select password from people where email = @user", "relation \"people\" does not exist: the key 'query' names it; is it another database, or another name?" },
        { "postgres", "select password from users where email = @user", "column \"password\" does not exist: the key 'query' names it, and its tables have none of that name" },
        { "postgres", "select email, secret from users where email = @user", "its query has no column password; it has: email, secret; call the right one so: select ... as password" },
        { "postgres", "select secret as password from pg_authid, users where email = @user", "permission denied for table pg_authid: let the user of the URI read it (grant select)" },
        { "mysql", "select password, email as name from people where email = @user", "Table 'app.people' doesn't exist: the key 'query' names it; is it another database, or another name?" },
        { "mysql", "select password, email as name from users where email = @user", "Unknown column 'password' in 'field list': the key 'query' names it, and its tables have none of that name" },
        { "mysql", "select secret, email as name from users where email = @user", "its query has no column password; it has: secret, name; call the right one so: select ... as password" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task What_a_query_asks_for_and_is_not_there_is_named_with_its_line_and_what_to_do(string word, string query, string said)
    {
        var (uri, keys) = await servers.EntryAsync(word, word == "postgres" && query.Contains("pg_authid", StringComparison.Ordinal) ? "reader" : DatabaseServer.User);
        Assert.Contains($"postern.yaml:3:10: accounts[0].uri: {uri} cannot answer: {said}", await CheckAsync(uri, query, keys), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("postgres", "password authentication failed for user \"app\"")]
    [InlineData("mysql", "Access denied for user 'app'@'127.0.0.1' (using password: YES)")]
    public async Task A_login_of_this_server_that_is_refused_is_told_with_the_keys_that_it_is_made_of(string word, string said)
    {
        var (uri, keys) = await servers.EntryAsync(word);
        var told = await CheckAsync(uri, "select secret as password, email as name from users where email = @user", keys.Replace(DatabaseServer.Password, "tiger-of-last-year", StringComparison.Ordinal));
        Assert.Contains($"cannot answer: {said}: what this server logs in with there is the user of the URI and the key 'password'", told, StringComparison.Ordinal);
        Assert.DoesNotContain("tiger-of-last-year", told, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("mysql")]
    public async Task A_certificate_that_has_expired_is_told_with_its_dates(string word)
    {
        var (uri, keys) = await servers.EntryAsync(word);
        const string Query = "select secret as password, email as name from users where email = @user";
        await servers.CertifyAsync(word, TimeSpan.FromHours(1));
        Assert.Matches("cannot answer: TLS: its certificate is out of date: it is good from [0-9]{4}-.*Z to [0-9]{4}-.*Z", await CheckAsync(uri, Query, keys));
        await servers.CertifyAsync(word, TimeSpan.FromDays(10));
        Assert.Empty(await CheckAsync(uri, Query, keys));
    }

    /// <summary>What is said of stores that cannot answer.</summary>
    private static async Task<string> CheckAsync(string uri, string query, string keys)
    {
        using var run = new CommandRun($"server: {{ hostname: mail.example.org, data: data }}\naccounts:\n  - uri: {uri}\n    query: \"{query.Replace("\"", "\\\"", StringComparison.Ordinal)}\"\n{keys}");
        var told = await run.PosternAsync("check", "--live");
        Assert.Equal(told.Error.Contains("cannot answer", StringComparison.Ordinal) ? ExitCode.No : ExitCode.Ok, told.ExitCode);
        return string.Concat(told.Error.Split('\n').Where(static line => line.Contains("cannot answer", StringComparison.Ordinal)))
            .Replace("in 'SELECT'", "in 'field list'", StringComparison.Ordinal); // as newer servers call it
    }

    /// <summary>A file and two servers with the table that the queries look into; a server starts when it is asked for first.</summary>
    public sealed class Servers : IAsyncDisposable
    {
        private readonly string folder = Directory.CreateTempSubdirectory("pst").FullName;
        private readonly Dictionary<string, DatabaseServer> started = [];

        /// <summary>What an entry of <c>accounts</c> has beside its query.</summary>
        public async Task<(string Uri, string Keys)> EntryAsync(string word, string user = DatabaseServer.User)
        {
            if (word == "sqlite")
            {
                var file = Path.Combine(folder, "users.db");
                if (!File.Exists(file))
                    await MakeAsync(new SqliteConnection($"Data Source={file};Pooling=False"), Schema);
                return ($"sqlite://{file}", string.Empty);
            }

            if (!started.TryGetValue(word, out var server))
            {
                server = word == "mysql" ? new MariaServer() : new PostgresServer();
                Assert.SkipWhen(server.WhyNot() is not null, server.WhyNot() ?? string.Empty);
                started[word] = server;
                await server.InitializeAsync();
                await MakeAsync(Connect(server), Schema);
                if (server is PostgresServer)
                    await MakeAsync(Connect(server), $"create user reader password '{DatabaseServer.Password}'; grant select on users to reader");
            }

            var database = server is MariaServer ? MariaServer.Database : PostgresServer.Database;
            return (
                string.Create(CultureInfo.InvariantCulture, $"{word}://{user}@127.0.0.1:{server.Port}/{database}"),
                $"    password: {DatabaseServer.Password}\n    tls: verify\n    ca: {server.Authorities}\n");
        }

        /// <summary>The server is started again, with another certificate.</summary>
        public async Task CertifyAsync(string word, TimeSpan validFor)
        {
            await started[word].CertifyAsync(["localhost"], [IPAddress.Loopback], validFor);
            await started[word].KillAsync();
            await started[word].StartAsync();
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var server in started.Values)
                await server.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }

        private static DbConnection Connect(DatabaseServer server)
        {
            var port = server.Port.ToString(CultureInfo.InvariantCulture);
            return server is MariaServer
                ? new MySqlConnection($"Server=127.0.0.1;Port={port};User={DatabaseServer.User};Password={DatabaseServer.Password};Database={MariaServer.Database};Pooling=false;SslMode=None")
                : new NpgsqlConnection($"Host=127.0.0.1;Port={port};Username={DatabaseServer.User};Password={DatabaseServer.Password};Database={PostgresServer.Database};Pooling=false;SSL Mode=Disable;GSS Encryption Mode=Disable");
        }

        private static async Task MakeAsync(DbConnection connection, string sql)
        {
            await using (connection)
            {
                await connection.OpenAsync();
                await using var command = connection.CreateCommand();
                command.CommandText = sql;
                await command.ExecuteNonQueryAsync();
            }
        }
    }
}
