using System.Collections.Immutable;
using System.Net;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Postern.Web.Access;

/// <summary>A key as the database has it, with what it needs of its account. Immutable.</summary>
internal sealed record KeyRow(
    string Id,
    byte[] Hash,
    string Label,
    string Words,
    string? OwnTenant,
    string? Account,
    long? AccountEnabled,
    string? AccountTenant,
    string Cidrs,
    string CreatedBy,
    long CreatedAt,
    long ExpiresAt)
{
    private const string Select =
        """
        select k.id, k.hash, k.label, k.scopes as Words, k.tenant as OwnTenant, a.name as Account, a.enabled as AccountEnabled,
            a.tenant as AccountTenant, k.networks as Cidrs, k.created_by as CreatedBy, k.created_at as CreatedAt,
            k.expires_at as ExpiresAt
        from api_keys k left join accounts a on a.id = k.account_id
        """;

    /// <summary>A word that is none here gives nothing: a newer program wrote it.</summary>
    public Scopes Scopes { get; } = ScopeWords.All
        .Where(one => Words.Split(' ').Contains(one.Word, StringComparer.Ordinal))
        .Aggregate(Scopes.None, static (all, one) => all | one.Scope);

    public ImmutableArray<IPNetwork> Networks { get; } =
        [.. Cidrs.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static cidr => IPNetwork.Parse(cidr))];

    /// <summary>The key's own; else that of its account. Where the account has gone to another tenant, it sees nothing of either.</summary>
    public string? Tenant => OwnTenant ?? AccountTenant;

    /// <summary>Why it is not good, in words for the log; null where it is.</summary>
    public string? WhyNot(IPAddress client, DateTimeOffset now) =>
        ExpiresAt <= now.ToUnixTimeMilliseconds() ? "it has expired"
        : AccountEnabled == 0 ? $"its account {Account} is disabled"
        : OwnTenant is not null && Account is not null && OwnTenant != AccountTenant
            ? $"its account {Account} is not of {OwnTenant} any more"
        : !Networks.IsEmpty && !Networks.Any(network => network.Contains(client)) ? $"it is good from {Cidrs}, and not from {client}"
        : null;

    public KeyDetails ToDetails(DateTimeOffset now) => new(
        Id,
        Label,
        [.. Words.Split(' ')],
        Tenant,
        Account,
        [.. Networks.Select(static one => one.ToString())],
        CreatedBy,
        DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt),
        DateTimeOffset.FromUnixTimeMilliseconds(ExpiresAt),
        ExpiresAt <= now.ToUnixTimeMilliseconds());

    public static KeyRow? Find(SqliteConnection sql, string id) =>
        sql.QuerySingleOrDefault<KeyRow>($"{Select} where k.id = @id", new { id });

    /// <summary>By label.</summary>
    public static ImmutableArray<KeyRow> All(SqliteConnection sql) => [.. sql.Query<KeyRow>($"{Select} order by k.label")];

    /// <summary>The id, and nothing of what is kept.</summary>
    public override string ToString() => Id;
}
