using System.Collections.Immutable;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Web.Storage;

namespace Postern.Web.Access;

/// <summary>Who may use the web plane: operators, invitations, keys. Nothing secret.</summary>
/// <remarks>Every question throws <see cref="DirectoryUnavailableException"/> when the database cannot be read.</remarks>
internal sealed class AccessQueries(SqliteDirectory directory, TimeProvider clock)
{
    /// <summary>There is somebody who can let others in. Until then nothing but the setup is to be seen.</summary>
    public bool HasOwner() => directory.Read(OperatorRow.AnyOwner);

    /// <summary>Operators by name, invitations by their end.</summary>
    public OperatorPage Operators() => directory.Read(sql => new OperatorPage(
        [.. OperatorRow.All(sql).Select(OperatorDetails.Of)],
        [
            .. sql.Query<InvitationRow>(
                """
                select i.role, i.tenant, o.name as Operator, i.created_by as CreatedBy, i.expires_at as ExpiresAt
                from invitations i left join operators o on o.id = i.operator_id where i.expires_at > @now order by i.expires_at
                """,
                new { now = clock.GetUtcNow().ToUnixTimeMilliseconds() })
                .Select(static row => new InvitationDetails(
                    row.Role, row.Tenant, row.Operator, row.CreatedBy, DateTimeOffset.FromUnixTimeMilliseconds(row.ExpiresAt))),
        ]));

    /// <summary>By label, with the last use of each as far as it is known: where that cannot be read, it is left out.</summary>
    public ImmutableArray<KeyDetails> Keys()
    {
        var (_, uses) = SqliteDirectory.Look(WebState.Beside(directory.Path), UsesOf);
        var now = clock.GetUtcNow();
        return directory.Read<ImmutableArray<KeyDetails>>(sql =>
            [.. KeyRow.All(sql).Select(row => row.ToDetails(now) with { LastUse = uses?.GetValueOrDefault(row.Id) })]);
    }

    /// <summary>Another program's version of the file may hold none.</summary>
    private static Dictionary<string, KeyUse>? UsesOf(SqliteConnection sql) =>
        sql.ExecuteScalar<long>("select count(*) from sqlite_master where name = 'key_uses'") > 0 ? Access.Keys.UsesOf(sql) : null;

    private sealed record InvitationRow(string Role, string? Tenant, string? Operator, string CreatedBy, long ExpiresAt);
}
