using System.Data.Common;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>The tables of an application, as its users have them in any database.</summary>
internal static class SqlUsers
{
    public const StoreAbilities Abilities = StoreAbilities.Readable | StoreAbilities.Forms | StoreAbilities.Disabled | StoreAbilities.Several
        | StoreAbilities.Expiry | StoreAbilities.Rights | StoreAbilities.Reload | StoreAbilities.AccountNames;

    public const string Schema = """
        create table users (email varchar(255) not null primary key, account varchar(255), addresses varchar(1000), domains varchar(1000), tenant varchar(100), disabled integer not null);
        create table secrets (email varchar(255) not null, secret varchar(2000) not null, expired integer not null);
        """;

    public const string Query = """
        select s.secret as password, coalesce(u.account, u.email) as name, u.addresses, u.domains, u.tenant, u.disabled
        from users u join secrets s on s.email = u.email
        where u.email = @user and s.expired = 0
        """;

    public static void Insert(DbConnection connection, RigUser user, DbTransaction? transaction = null)
    {
        Execute(
            connection,
            transaction,
            "insert into users (email, account, addresses, domains, tenant, disabled) values (@p0, @p1, @p2, @p3, @p4, @p5)",
            user.Name,
            user.AccountName,
            user.Addresses is null ? null : string.Join(", ", user.Addresses),
            string.Join(' ', user.Domains),
            user.Tenant,
            user.IsDisabled ? 1 : 0);
        foreach (var secret in user.Secrets)
            Execute(connection, transaction, "insert into secrets (email, secret, expired) values (@p0, @p1, @p2)", user.Name, secret, user.ExpiresAt < new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) ? 1 : 0);
    }

    public static void Remove(DbConnection connection, string name, DbTransaction? transaction = null)
    {
        Execute(connection, transaction, "delete from secrets where email = @p0", name);
        Execute(connection, transaction, "delete from users where email = @p0", name);
    }

    public static void Execute(DbConnection connection, string sql) => Execute(connection, transaction: null, sql);

    private static void Execute(DbConnection connection, DbTransaction? transaction, string sql, params object?[] values)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        for (var i = 0; i < values.Length; i++)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = ($"@p{i}", values[i] ?? DBNull.Value);
            command.Parameters.Add(parameter);
        }

        command.ExecuteNonQuery();
    }
}
