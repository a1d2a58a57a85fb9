using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// What the costliest account of the directory costs, kind by kind. New credentials are looked at as they come; what was removed counts on
/// until the process ends, which tells nothing and costs a little.
/// </summary>
internal sealed class DirectoryCosts
{
    private long lastSeen;

    /// <summary>Where there is no credential at all, the cost of one that was generated.</summary>
    public HashCosts Most { get; private set; } = HashCosts.Of([ScramHash.ForGenerated(Sasl.Secret.Generate())]);

    /// <summary>The same, and everything is looked at again: the file may be another one.</summary>
    public DirectoryCosts Again() => new() { Most = Most };

    /// <summary>Looks at the credentials that have been added since; within the caller's transaction.</summary>
    public void Read(SqliteConnection sql)
    {
        if (sql.ExecuteScalar<long?>("select max(id) from credentials") is not { } newest || newest <= lastSeen)
            return;
        // One account at a time: all secrets of a large directory have no room in memory.
        foreach (var account in sql.Query<long>("select distinct account_id from credentials where id > @lastSeen", new { lastSeen })
            .AsList())
            Note(HashCosts.Of(DirectoryReader.Credentials(sql, account).Select(static c => c.Hash)));
        lastSeen = newest;
    }

    public void Note(HashCosts costs) => Most = Most.Most(costs);
}
