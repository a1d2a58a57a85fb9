using System.Collections.Immutable;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Credentials;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores;
using CredentialRow = Postern.Relay.Accounts.Stores.DirectoryReader.CredentialRow;

namespace Postern.Relay.Admin;

/// <summary>What an operator may see of the directory: never a secret nor its hash.</summary>
/// <remarks>Every query throws <see cref="Accounts.DirectoryUnavailableException"/> when the database cannot be read.</remarks>
public sealed class DirectoryQueries(SqliteDirectory directory, TimeProvider clock)
{
    /// <summary>By name.</summary>
    public ImmutableArray<AccountDetails> Accounts() => directory.Read(sql => AccountsOf(sql, id: null));

    /// <summary>Null when there is none; <see cref="NoSuchAccount"/> then has the words.</summary>
    public AccountDetails? Account(string name) => directory.Read(sql =>
        DirectoryLookups.TryFindAccount(sql, name, out var found, out _) ? AccountsOf(sql, found.Id).Single() : null);

    /// <summary>The message for an account that is not there, with the nearest that is.</summary>
    public AdminOutcome.NotFound NoSuchAccount(string name) => directory.Read(sql =>
    {
        DirectoryLookups.TryFindAccount(sql, name, out _, out var missing);
        return missing ?? new AdminOutcome.NotFound($"there was no account '{name}' a moment ago");
    });

    /// <summary>By name.</summary>
    public ImmutableArray<DomainDetails> Domains() => directory.Read<ImmutableArray<DomainDetails>>(sql =>
    {
        var networks = NetworksOf(sql).ToLookup(n => n.Domain, n => n.Cidr, StringComparer.Ordinal);
        return [.. sql.Query<DomainRow>("select name, accepts from domains order by name")
            .Select(d => new DomainDetails(d.Name, d.Accepts != 0, [.. networks[d.Name]]))];
    });

    /// <summary>Null when there is none; <see cref="NoSuchDomain"/> then has the words.</summary>
    public DomainDetails? Domain(string name) =>
        MailNames.TryDomain(name, out var canonical)
            ? Domains().FirstOrDefault(d => string.Equals(d.Name, canonical, StringComparison.Ordinal))
            : null;

    /// <summary>The message for a domain that is not there, with the nearest that is.</summary>
    public AdminOutcome.NotFound NoSuchDomain(string name) => directory.Read(sql => DirectoryLookups.NoDomain(sql, name));

    /// <summary>The keys that sign mail, by domain, the oldest first; of all domains, or of one in whatever spelling.</summary>
    public ImmutableArray<DkimKeyDetails> DkimKeys(string? domain = null) => directory.Read<ImmutableArray<DkimKeyDetails>>(
        sql => [.. SigningKeyRow.Query(sql, domain is null || !MailNames.TryDomain(domain, out var name) ? domain : name)
            .Select(DkimKeyDetails.Of)]);

    /// <summary>
    /// The domains that have an active key, in the database at <paramref name="path"/>, which stays as it is; null where it cannot be read.
    /// </summary>
    public static ImmutableHashSet<string>? DomainsThatSign(string path)
    {
        var (problem, found) = SqliteDirectory.Look(path, static sql =>
            sql.ExecuteScalar<long>("select count(*) from sqlite_master where name = 'dkim_keys'") == 0
                ? []
                : sql.Query<string>("select distinct domain from dkim_keys where state = 'active'")
                    .ToImmutableHashSet(StringComparer.Ordinal));
        return problem is null ? found ?? [] : null;
    }

    /// <summary>By domain, then by network.</summary>
    public ImmutableArray<NetworkDetails> Networks() => directory.Read<ImmutableArray<NetworkDetails>>(sql => [.. NetworksOf(sql)]);

    /// <summary>Addresses that get no mail, by address; what is over by now is not among them.</summary>
    /// <param name="tenant">Entries of this tenant; null for all.</param>
    /// <param name="to">An address or a domain; null for all.</param>
    public ImmutableArray<Suppression> Suppressions(string? tenant, string? to, int most) =>
        directory.Read<ImmutableArray<Suppression>>(sql =>
        [
            .. sql.Query<DirectoryReader.SuppressionRow>(
                $"""
                {DirectoryReader.SuppressionRow.Select}
                where (@tenant is null or tenant = @tenant) and (expires_at is null or expires_at > @now)
                    and (@to is null or address = @to or substr(address, -length(@to) - 1) = '@' || @to)
                order by address, tenant limit @most
                """,
                new
                {
                    tenant = tenant?.ToLowerInvariant(),
                    to = to?.ToLowerInvariant(),
                    most,
                    now = clock.GetUtcNow().ToUnixTimeMilliseconds(),
                })
                .Select(static row => row.ToSuppression()),
        ]);

    private ImmutableArray<AccountDetails> AccountsOf(SqliteConnection sql, long? id)
    {
        var which = new { id };
        var addresses = sql.Query<GrantRow>(
            "select account_id as AccountId, address as Name from account_addresses where @id is null or account_id = @id order by address",
            which)
            .ToLookup(r => r.AccountId, r => r.Name);
        var domains = sql.Query<GrantRow>(
            "select account_id as AccountId, domain as Name from account_domains where @id is null or account_id = @id order by domain",
            which)
            .ToLookup(r => r.AccountId, r => r.Name);
        var actsAs = sql.Query<GrantRow>(
            "select account_id as AccountId, name as Name from account_act_as where @id is null or account_id = @id order by name", which)
            .ToLookup(r => r.AccountId, r => r.Name);
        var credentials = sql.Query<CredentialRow>($"{CredentialRow.Select} where @id is null or account_id = @id order by id", which)
            .ToLookup(r => r.AccountId);
        var limits = DirectoryReader.LimitsOf(sql, id);
        var uses = UsesOf(LastUseFile.Beside(directory.Path), isOne: id is not null);
        return
        [
            .. sql.Query<AccountRow>(
                "select id, name, enabled, created_at as CreatedAt, tenant, keep from accounts where @id is null or id = @id order by name",
                which)
                .Select(a => new AccountDetails(
                    a.Name,
                    a.Enabled != 0,
                    TimeOf(a.CreatedAt),
                    [.. addresses[a.Id]],
                    [.. domains[a.Id]],
                    [.. credentials[a.Id].Select(c => DetailsOf(a.Name, c, limits, uses))])
                {
                    ActsAs = [.. actsAs[a.Id]],
                    Tenant = a.Tenant,
                    KeepSeconds = a.Keep,
                }),
        ];
    }

    private CredentialDetails DetailsOf(
        string account, CredentialRow row, ILookup<long, DirectoryReader.LimitRow> limits, Func<long, LastUse?> uses)
    {
        DateTimeOffset? expires = row.ExpiresAt is { } end ? TimeOf(end) : null;
        var hash = PasswordHash.Parse(row.Secret);
        return new(row.Id, account, row.Label, hash.Scheme, row.Generated != 0, TimeOf(
            row.CreatedAt), expires, expires <= clock.GetUtcNow())
        {
            Weakness = hash.Weakness,
            IsApp = row.App != 0,
            Limits = LimitDetails.Of(DirectoryReader.LimitsOf(row, limits), row.BoundAt is { } at ? TimeOf(at) : null),
            // What is older than the credential is another one's, as after a backup was put back.
            LastUse = uses(row.Id) is { } use && use.At >= TimeOf(row.CreatedAt) ? use : null,
        };
    }

    private static Func<long, LastUse?> UsesOf(LastUseFile file, bool isOne)
    {
        if (!isOne)
            return Asked(file.ReadAll).GetValueOrDefault;
        return number => Asked(() => file.Read(number));

        T Asked<T>(Func<T> read)
        {
            try
            {
                return read();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new DirectoryUnavailableException($"{file.Path}: the last uses cannot be read: {e.Message}", e);
            }
        }
    }

    private static IEnumerable<NetworkDetails> NetworksOf(SqliteConnection sql) =>
        sql.Query<NetworkDetails>("select cidr, domain from networks order by domain, cidr");

    private static DateTimeOffset TimeOf(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private sealed record AccountRow(long Id, string Name, long Enabled, long CreatedAt, string? Tenant, long? Keep);

    private sealed record GrantRow(long AccountId, string Name);

    private sealed record DomainRow(string Name, long Accepts);
}
