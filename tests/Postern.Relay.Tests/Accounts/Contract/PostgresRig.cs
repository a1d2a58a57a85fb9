using System.Globalization;
using Npgsql;
using Postern.Relay.Accounts;
using Postern.Testing.Databases;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>A PostgreSQL server on loopback, which is asked over a wire that can be cut.</summary>
public sealed class PostgresRig : ServerRig<PostgresServer>
{
    public PostgresRig()
        : base(new PostgresServer())
    {
    }

    public override string Word => "postgres";

    protected override string Refused => "it cannot be reached: Connection refused";

    protected override string WrongPassword => "password authentication failed for user \"app\"";

    protected override string NoTable => "relation \"people\" does not exist";

    protected override string LargeQuery => "select repeat('x', 10000000) as password, 'x' as name, @user::text as email";

    protected override string QueryOfSeveral => "select 'x' as password, 'one' as name, @user::text as email union select 'x', 'two', ''";

    public override AccountSource ConfigureSocket() => Read(
        string.Create(CultureInfo.InvariantCulture, $"postgres://app@:{Server.Port}/{PostgresServer.Database}"),
        ("query", SqlUsers.Query), ("password", DatabaseServer.Password), ("socket", Server.Socket));

    protected override AccountSource Configure(string query, string password) => Read(
        string.Create(CultureInfo.InvariantCulture, $"postgres://app@127.0.0.1:{Wire.Port}/{PostgresServer.Database}"),
        ("query", query), ("password", password), ("tls", "verify"), ("ca", Server.Authorities));

    protected override async Task<System.Data.Common.DbConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(string.Create(
            CultureInfo.InvariantCulture,
            $"Host=127.0.0.1;Port={Server.Port};Username={DatabaseServer.User};Password={DatabaseServer.Password};Database={PostgresServer.Database};Pooling=false;SSL Mode=Disable;GSS Encryption Mode=Disable"));
        await connection.OpenAsync();
        return connection;
    }

    protected override async Task ReloadAsync()
    {
        var before = await LoadedAtAsync();
        Server.Reload();
        while (await LoadedAtAsync() == before)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
    }

    private async Task<string?> LoadedAtAsync()
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "select pg_conf_load_time()::text";
        return (string?)await command.ExecuteScalarAsync();
    }
}

public sealed class PostgresStoreContractTests(PostgresRig rig) : StoreContract<PostgresRig>(rig);
