using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;

namespace Postern.Relay.Admin;

/// <summary>Finds what a command names, or says what is missing. Within the caller's transaction.</summary>
internal static class DirectoryLookups
{
    public static bool TryFindAccount(SqliteConnection sql, string name, out AccountKey account, out AdminOutcome.NotFound missing)
    {
        missing = null!;
        var key = LoginNames.TryCanonical(name, out var canonical)
            ? sql.QuerySingleOrDefault<AccountKey>("select id, name from accounts where name = @canonical", new { canonical })
            : null;
        account = key!;
        if (key is not null)
            return true;
        missing = new($"there is no account '{name}'{NearestName.Hint(canonical ?? name, sql.Query<string>("select name from accounts"))}")
        {
            Account = canonical ?? name,
        };
        return false;
    }

    public static bool HasDomain(SqliteConnection sql, string domain) =>
        sql.ExecuteScalar<long>("select count(*) from domains where name = @domain", new { domain }) > 0;

    public static AdminOutcome.NotFound NoDomain(SqliteConnection sql, string domain) =>
        new($"there is no domain '{domain}'{NearestName.Hint(domain, sql.Query<string>("select name from domains"))}");

    public static AdminOutcome.Invalid NotADomain(string text) => new($"'{text}' is not a mail domain");

    internal sealed record AccountKey(long Id, string Name);
}
