using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts.Credentials;
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
            $"{CredentialRow.Select} where account_id = (select id from accounts where name = @account)", new { account });
        var same = rows.Where(row => string.Equals(PasswordHash.Parse(row.Secret).Stored, before, StringComparison.Ordinal))
            .Select(static row => row.Id).ToList();
        return sql.Execute("update credentials set secret = @after where id = @id", same.Select(id => new { id, after })) > 0;
    }

    /// <summary>
    /// What every account that can log in has: SCRAM-SHA-256 unless one has it in no credential, or only in those of single programs beside
    /// one of its own.
    /// </summary>
    public static StoredForms CommonForms(SqliteConnection sql)
    {
        // A database that is only looked at may be older than this program: without single programs' own.
        var isOlder = sql.ExecuteScalar<long>("select count(*) from pragma_table_info('credentials') where name = 'app'") == 0;
        var own = isOlder ? "1" : "app = 0";
        var isShort = sql.ExecuteScalar<long>(
            $$"""
            with scram as (
                select account_id, {{own}} as own from credentials
                where secret like 'SCRAM-SHA-256$%' or secret like '{PLAIN%' or secret like '{CLEAR%')
            select exists (
                select 1 from accounts where enabled <> 0 and id in (select account_id from credentials) and (
                    id not in (select account_id from scram)
                    or (id in (select account_id from credentials where {{own}})
                        and id not in (select account_id from scram where own <> 0))))
            """);
        return isShort == 0 ? DirectoryStore.Common : StoredForms.Password;
    }

    public static IEnumerable<PasswordHash> AllHashes(SqliteConnection sql) =>
        sql.Query<string>("select secret from credentials").Select(PasswordHash.Parse);

    public static ImmutableArray<StoredCredential> Credentials(SqliteConnection sql, long accountId)
    {
        var rows = sql.Query<CredentialRow>($"{CredentialRow.Select} where account_id = @accountId order by id", new { accountId })
            .AsList();
        var limits = rows.Count == 0 ? null : LimitsOf(sql, accountId);
        return
        [
            .. rows.Select(row => new StoredCredential(
                row.Label ?? IdOf(row.Id),
                PasswordHash.Parse(row.Secret),
                row.ExpiresAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null)
            {
                Number = row.Id,
                Id = IdOf(row.Id),
                IsApp = row.App != 0,
                Limits = LimitsOf(row, limits!),
            }),
        ];
    }

    /// <summary>The number of a credential as it is written.</summary>
    public static string IdOf(long number) => string.Create(CultureInfo.InvariantCulture, $"#{number}");

    /// <summary>What the credentials of an account are limited to, by number; of all accounts where it is null.</summary>
    public static ILookup<long, LimitRow> LimitsOf(SqliteConnection sql, long? accountId) => sql.Query<LimitRow>(
        """
        select credential_id as CredentialId, kind, value from credential_limits
        where @accountId is null or credential_id in (select id from credentials where account_id = @accountId)
        order by credential_id, kind, value
        """,
        new { accountId }).ToLookup(static row => row.CredentialId);

    /// <exception cref="FormatException">A hand wrote something else than a network.</exception>
    public static CredentialLimits LimitsOf(CredentialRow row, ILookup<long, LimitRow> all)
    {
        var limits = all[row.Id].ToLookup(static one => one.Kind, static one => one.Value, StringComparer.Ordinal);
        return limits.Count == 0 && row.FirstNetwork == 0 ? CredentialLimits.None : new CredentialLimits
        {
            Listeners = [.. limits["listener"]],
            Networks = [.. limits["network"].Select(static cidr => IPNetwork.Parse(cidr))],
            Senders = [.. limits["sender"]],
            IsFirstNetwork = row.FirstNetwork != 0,
            Bound = row.BoundNetwork is { } bound ? IPNetwork.Parse(bound) : null,
        };
    }

    private sealed record AccountRow(long Id, string Name, long Enabled, string? Tenant, long? Keep);

    internal sealed record CredentialRow(
        long Id,
        long AccountId,
        string? Label,
        string Secret,
        long Generated,
        long CreatedAt,
        long? ExpiresAt,
        long App,
        long FirstNetwork,
        string? BoundNetwork,
        long? BoundAt)
    {
        public const string Select =
            """
            select id, account_id as AccountId, label, secret, generated, created_at as CreatedAt, expires_at as ExpiresAt, app,
                first_network as FirstNetwork, bound_network as BoundNetwork, bound_at as BoundAt
            from credentials
            """;
    }

    /// <param name="Kind">listener, network or sender.</param>
    internal sealed record LimitRow(long CredentialId, string Kind, string Value);

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
