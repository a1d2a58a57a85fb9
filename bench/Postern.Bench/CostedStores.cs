using System.Data.Common;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using MySqlConnector;
using Npgsql;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Testing;
using Postern.Testing.Databases;

namespace Postern.Bench;

/// <summary>
/// The same users in every kind of store that can be started here. They have SCRAM-SHA-256 as it is made for them; those of <c>digest</c>
/// have its hash, and where another server checks passwords it has them as they are. The HTTP service and the server that answers as Vault
/// are in this process, so their share counts as its own.
/// </summary>
internal sealed class CostedStores : IAsyncDisposable
{
    public const int Users = 500;

    private const string Realm = "bench.example.org";
    private const string Query = "select password, email as name from users where email = @user";
    private const string Table = "create table users (email varchar(255) primary key, password varchar(500) not null)";

    private readonly string folder = Directory.CreateTempSubdirectory("postern-bench-").FullName;
    private readonly SqliteDirectory directory;
    private readonly List<IAsyncDisposable> servers = [];
    private readonly List<string> missing = [];
    private readonly string[] stored =
    [
        .. Enumerable.Range(0, Users).Select(static i =>
            ScramHash.Create(new Secret(Password(i)), ScramHash.GeneratedIterations, Encoding.ASCII.GetBytes($"salt-of-user-{i:0000}")).Stored),
    ];

    public CostedStores()
    {
        directory = SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(folder, "directory.db")));
        Context = new StoreContext(directory, new Decoys(directory.DecoyKey.Span), NoAuditLog.Instance, TimeProvider.System);
    }

    public StoreContext Context { get; }

    /// <summary>What cannot be had here, and why.</summary>
    public IReadOnlyList<string> Missing => missing;

    public static string Name(int number) => $"user{number:0000}@example.org";

    public static string Password(int number) => $"secret of {number}";

    /// <summary>Each is started when it is asked for.</summary>
    /// <param name="only">The word of one kind; null for all.</param>
    public async IAsyncEnumerable<(string Name, Func<StoreTerms, AccountSource> Source)> AllAsync(string? only)
    {
        (string Word, Func<Task<(string, Func<StoreTerms, AccountSource>)[]>> Start)[] kinds =
        [
            ("directory", DirectoryAsync), ("users", UsersAsync), ("file", FileAsync), ("digest", DigestAsync), ("sqlite", SqliteAsync),
            ("postgres", () => DatabaseAsync("postgres", new PostgresServer(), PostgresServer.Database)),
            ("mysql", () => DatabaseAsync("mysql", new MariaServer(), MariaServer.Database)),
            ("ldap", LdapAsync), ("http", HttpAsync), ("vault", VaultAsync),
        ];
        foreach (var (word, start) in kinds)
        {
            foreach (var kind in only is null || only == word ? await start() : [])
                yield return kind;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers)
            await server.DisposeAsync();
        directory.Dispose();
        SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
    }

    private async Task<(string, Func<StoreTerms, AccountSource>)[]> DirectoryAsync()
    {
        await using var connection = new SqliteConnection($"Data Source={folder}/directory.db");
        await ExecuteAsync(connection, string.Concat(stored.Select(static (form, i) =>
            $"insert into accounts (name, enabled, created_at) values ('{Name(i)}', 1, 0);"
                + $"insert into credentials (account_id, secret, generated, created_at) values (last_insert_rowid(), '{form}', 1, 0);")));
        return [("directory", static _ => new AccountSource("directory", Realm))];
    }

    private Task<(string, Func<StoreTerms, AccountSource>)[]> UsersAsync()
    {
        var keys = new StoreKeys { Named = [.. stored.Select(static (form, i) => (Name(i), new Secret(form)))] };
        return Task.FromResult<(string, Func<StoreTerms, AccountSource>)[]>([("users", terms => Read("users", "users", keys, terms))]);
    }

    private async Task<(string, Func<StoreTerms, AccountSource>)[]> FileAsync()
    {
        await File.WriteAllLinesAsync(Path.Combine(folder, "passwd"), stored.Select(static (form, i) => $"{Name(i)}:{form}"));
        return [("file", _ => new AccountSource($"file://{folder}/passwd", Realm))];
    }

    private async Task<(string, Func<StoreTerms, AccountSource>)[]> DigestAsync()
    {
        await File.WriteAllLinesAsync(
            Path.Combine(folder, "digest"),
            stored.Select(static (_, i) => $"{Name(i)}:{Realm}:{Convert.ToHexStringLower(DigestSecret.Derive(Name(i), Realm, Password(i)))}"));
        return [("digest", _ => new AccountSource($"digest://{folder}/digest", Realm))];
    }

    private async Task<(string, Func<StoreTerms, AccountSource>)[]> SqliteAsync()
    {
        await FillAsync(new SqliteConnection($"Data Source={folder}/users.db"));
        return [("sqlite", terms => Read("sqlite", $"sqlite://{folder}/users.db", new StoreKeys(("query", Query)), terms))];
    }

    private async Task<(string, Func<StoreTerms, AccountSource>)[]> DatabaseAsync(string word, DatabaseServer server, string database)
    {
        servers.Add(server);
        if (IsMissing(word, server.WhyNot()))
            return [];
        await server.InitializeAsync();
        var port = server.Port.ToString(CultureInfo.InvariantCulture);
        await FillAsync(word == "mysql"
            ? new MySqlConnection($"Server=127.0.0.1;Port={port};User={DatabaseServer.User};Password={DatabaseServer.Password};Database={database};SslMode=None;Pooling=false")
            : new NpgsqlConnection($"Host=127.0.0.1;Port={port};Username={DatabaseServer.User};Password={DatabaseServer.Password};Database={database};Pooling=false"));
        var keys = new StoreKeys(("query", Query), ("password", DatabaseServer.Password));
        return [(word, terms => Read(word, $"{word}://{DatabaseServer.User}@127.0.0.1:{port}/{database}", keys, terms))];
    }

    private async Task<(string, Func<StoreTerms, AccountSource>)[]> LdapAsync()
    {
        if (IsMissing("ldap", Slapd.WhyNot()))
            return [];
        var slapd = await Slapd.StartAsync(string.Concat(stored.Select(static (form, i) =>
            $"dn: uid={Name(i)},{Slapd.People}\nobjectClass: inetOrgPerson\nuid: {Name(i)}\ncn: {i}\nsn: {i}\nuserPassword: {Password(i)}\ndescription: {form}\n\n")));
        servers.Add(slapd);
        var uri = string.Create(CultureInfo.InvariantCulture, $"ldap://127.0.0.1:{slapd.Port}/{Slapd.People}");
        (string, string)[] bind = [("bind", Slapd.Service), ("password", Slapd.ServicePassword), ("tls", "none")];
        return
        [
            ("ldap, bind", terms => Read("ldap", uri, new StoreKeys(bind), terms)),
            ("ldap, secret", terms => Read("ldap", uri, new StoreKeys([.. bind, ("secret", "description")]), terms)),
        ];
    }

    private Task<(string, Func<StoreTerms, AccountSource>)[]> HttpAsync()
    {
        var service = new WebServer(question => new WebReply(200, Answer(question)));
        servers.Add(service);
        var uri = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{service.Port}/smtp-auth");
        (string, string) key = ("key", "signing-key-of-the-service");
        return Task.FromResult<(string, Func<StoreTerms, AccountSource>)[]>(
        [
            ("http, check: false", terms => Read("http", uri, new StoreKeys(key), terms)),
            ("http, check: true", terms => Read("http", uri, new StoreKeys(key, ("check", "true")), terms)),
        ]);
    }

    private Task<(string, Func<StoreTerms, AccountSource>)[]> VaultAsync()
    {
        var vault = new DocumentedVault();
        servers.Add(vault);
        for (var i = 0; i < Users; i++)
            vault.Put($"secret/smtp-auth/{Name(i)}", new JsonObject { ["password"] = stored[i] });
        vault.Issue("token");
        var keys = new StoreKeys(("address", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{vault.Server.Port}")), ("token", "token"));
        return Task.FromResult<(string, Func<StoreTerms, AccountSource>)[]>([("vault", terms => Read("vault", "vault://secret/smtp-auth", keys, terms))]);
    }

    private string Answer(WebQuestion question)
    {
        var asked = JsonNode.Parse(question.Body)!.AsObject();
        var user = asked["user"]!.GetValue<string>();
        var number = int.Parse(user.AsSpan("user".Length, 4), CultureInfo.InvariantCulture);
        var answer = new JsonObject { ["user"] = user, ["found"] = true };
        if (asked["check"]!.GetValue<bool>())
            answer["match"] = asked["password"]!.GetValue<string>() == Password(number);
        else
            answer["password"] = stored[number];
        return answer.ToJsonString();
    }

    private bool IsMissing(string word, string? why)
    {
        if (why is not null)
            missing.Add($"{word,-20} {why}");
        return why is not null;
    }

    private static AccountSource Read(string word, string uri, StoreKeys keys, StoreTerms terms) =>
        AccountStores.All.Single(k => k.Word == word).Read(keys, new AccountSource(uri, Realm) { Terms = terms });

    private async Task FillAsync(DbConnection connection)
    {
        await using (connection)
        {
            await ExecuteAsync(connection, Table);
            await ExecuteAsync(connection, $"insert into users values {string.Join(", ", stored.Select(static (form, i) => $"('{Name(i)}', '{form}')"))}");
        }
    }

    private static async Task ExecuteAsync(DbConnection connection, string sql)
    {
        if (connection.State != System.Data.ConnectionState.Open)
            await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}
