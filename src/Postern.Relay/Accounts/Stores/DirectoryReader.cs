using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores;

/// <summary>Reads the facts about one name from the database, within the caller's transaction.</summary>
internal static class DirectoryReader
{
    public static LoginAnswer ReadAccount(SqliteConnection sql, string name)
    {
        var row = sql.QuerySingleOrDefault<AccountRow>(
            "select id, name, enabled, tenant, keep from accounts where name = @name", new { name });
        if (row is null)
            return StoredLogin.Nobody;

        var addresses = sql.Query<string>("select address from account_addresses where account_id = @Id order by address", row);
        var domains = sql.Query<string>("select domain from account_domains where account_id = @Id order by domain", row);
        var credentials = Credentials(sql, row.Id);
        var account = new Account(row.Name, row.Enabled != 0, [.. addresses], [.. domains])
        {
            ActsAs = [.. sql.Query<string>("select name from account_act_as where account_id = @Id order by name", row)],
            Tenant = row.Tenant,
            Keep = row.Keep is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        };
        var refusal = !account.Enabled ? StoredLogin.Disabled : credentials.IsEmpty ? "the account has no credential" : null;
        return new StoredLogin(row.Name, refusal, credentials) { IsDisabled = !account.Enabled, Account = account }.ToAnswer();
    }

    public static string ReadOwner(SqliteConnection sql, string address) => sql.QueryFirstOrDefault<string>(
        "select name from accounts where id in (select account_id from account_addresses where address = @address) order by id limit 1",
        new { address }) ?? string.Empty;

    public static DomainFacts ReadDomain(SqliteConnection sql, string name)
    {
        var accepts = sql.QuerySingleOrDefault<long?>("select accepts from domains where name = @name", new { name });
        var networks = sql.Query<string>("select cidr from networks where domain = @name", new { name })
            .Select(cidr => IPNetwork.Parse(cidr))
            .OrderByDescending(n => n.PrefixLength);
        return new DomainFacts(accepts is not null, accepts is > 0, [.. networks]);
    }

    /// <summary>The entries for an address, that for all mail first.</summary>
    public static Suppression[] ReadSuppressions(SqliteConnection sql, string address) =>
    [
        .. sql.Query<SuppressionRow>($"{SuppressionRow.Select} where address = @address order by tenant", new { address })
            .Select(static row => row.ToSuppression()),
    ];

    public static bool HasSuppressions(SqliteConnection sql) => sql.ExecuteScalar<long>("select exists (select 1 from suppressions)") != 0;

    /// <summary>
    /// Puts another form in the place of a stored one; false where that is not there any more. What a text stands for counts, not its
    /// spelling.
    /// </summary>
    public static bool ReplaceSecret(SqliteConnection sql, string account, string before, string after)
    {
        var rows = sql.Query<CredentialRow>(
            "select id, label, secret, expires_at as ExpiresAt from credentials where account_id = (select id from "
                + "accounts where name = @account)",
            new { account });
        var same = rows.Where(row => string.Equals(PasswordHash.Parse(row.Secret).Stored, before, StringComparison.Ordinal))
            .Select(static row => row.Id).ToList();
        return sql.Execute("update credentials set secret = @after where id = @id", same.Select(id => new { id, after })) > 0;
    }

    /// <summary>What every account that can log in has: SCRAM-SHA-256 unless one has it in no credential.</summary>
    public static StoredForms CommonForms(SqliteConnection sql)
    {
        var isShort = sql.ExecuteScalar<long>(
            """
            select exists (
                select 1 from accounts where enabled <> 0 and id in (select account_id from credentials) and id not in (
                    select account_id from credentials
                    where secret like 'SCRAM-SHA-256$%' or secret like '{PLAIN%' or secret like '{CLEAR%'))
            """);
        return isShort == 0 ? DirectoryStore.Common : StoredForms.Password;
    }

    public static IEnumerable<PasswordHash> AllHashes(SqliteConnection sql) =>
        sql.Query<string>("select secret from credentials").Select(PasswordHash.Parse);

    public static ImmutableArray<StoredCredential> Credentials(SqliteConnection sql, long accountId) =>
    [
        .. sql.Query<CredentialRow>(
            "select id, label, secret, expires_at as ExpiresAt from credentials where account_id = @accountId order by id",
            new { accountId })
            .Select(row => new StoredCredential(
                row.Label ?? string.Create(CultureInfo.InvariantCulture, $"#{row.Id}"),
                PasswordHash.Parse(row.Secret),
                row.ExpiresAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null)),
    ];

    private sealed record AccountRow(long Id, string Name, long Enabled, string? Tenant, long? Keep);

    private sealed record CredentialRow(long Id, string? Label, string Secret, long? ExpiresAt);

    internal sealed record SuppressionRow(string Address, string Tenant, string Reason, long AddedAt, long? ExpiresAt)
    {
        public const string Select =
            "select address, tenant, reason, added_at as AddedAt, expires_at as ExpiresAt from suppressions";

        public Suppression ToSuppression() => new(
            Tenant.Length == 0 ? null : Tenant,
            Address,
            Reason,
            DateTimeOffset.FromUnixTimeMilliseconds(AddedAt),
            ExpiresAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null);
    }
}
