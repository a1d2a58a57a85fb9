using System.Collections.Immutable;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Web.Access;

/// <summary>An operator as the database has it. Immutable.</summary>
internal sealed record OperatorRow(
    long Id,
    string Name,
    string RoleName,
    string? Tenant,
    string? Password,
    byte[]? Totp,
    long TotpStep,
    long Generation,
    long CreatedAt,
    long ChangedAt,
    long Enabled)
{
    private const string Select =
        """
        select id, name, role as RoleName, tenant, password, totp, totp_step as TotpStep, generation, created_at as CreatedAt,
            changed_at as ChangedAt, enabled
        from operators
        """;

    private StoredLogin? login;

    /// <summary>Null where a newer program wrote a role that is none here: it gives nothing.</summary>
    public Role? Role => Role.Find(RoleName);

    /// <summary>Why the right password does not sign in; null where it does.</summary>
    public string? Refusal =>
        Enabled == 0 ? "the operator is disabled"
        : Password is null ? "the operator has not set a password yet"
        : Role is null ? $"there is no role '{RoleName}'"
        : null;

    /// <summary>What a password is checked against.</summary>
    public StoredLogin Login => login ??= new StoredLogin(
        Name, Refusal, Password is null ? [] : [new StoredCredential("password", PasswordHash.Parse(Password), ExpiresAt: null)]);

    public static OperatorRow? Find(SqliteConnection sql, string name) =>
        sql.QuerySingleOrDefault<OperatorRow>($"{Select} where name = @name", new { name });

    public static OperatorRow? Find(SqliteConnection sql, long id) =>
        sql.QuerySingleOrDefault<OperatorRow>($"{Select} where id = @id", new { id });

    /// <summary>By name.</summary>
    public static ImmutableArray<OperatorRow> All(SqliteConnection sql) => [.. sql.Query<OperatorRow>($"{Select} order by name")];

    /// <summary>There is an owner, who may have to set a password anew.</summary>
    public static bool AnyOwner(SqliteConnection sql) => sql.ExecuteScalar<long>(
        "select exists (select 1 from operators where role = @owner)", new { owner = Role.Owner.Name }) != 0;

    /// <summary>Of the owners that can sign in, how many there are beside this one.</summary>
    public static long OtherOwners(SqliteConnection sql, long id) => sql.ExecuteScalar<long>(
        "select count(*) from operators where role = @owner and enabled <> 0 and password is not null and id <> @id",
        new { owner = Role.Owner.Name, id });

    /// <summary>The name, and nothing of what is kept.</summary>
    public override string ToString() => Name;
}
