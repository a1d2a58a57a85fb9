using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Web.Storage;

namespace Postern.Web.Access;

/// <summary>
/// Finds who calls by a key. A key that is taken away is nobody's at the next call. The last use of each is gathered in memory and written
/// every few seconds: no call waits for it, and a crash loses those seconds.
/// </summary>
internal sealed class Keys : IDisposable
{
    private const int MaxAgent = 200;

    private readonly SqliteDirectory directory;
    private readonly WebState state;
    private readonly IAuditLog audit;
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private readonly Lock writing = new();
    private readonly ConcurrentDictionary<string, KeyUse> gathered = new(StringComparer.Ordinal);
    private string? trouble;

    /// <param name="directory">Stays the caller's, like <paramref name="state"/>.</param>
    public Keys(SqliteDirectory directory, WebState state, IAuditLog audit, TimeProvider clock)
    {
        (this.directory, this.state, this.audit, this.clock) = (directory, state, audit, clock);
        timer = clock.CreateTimer(_ => Write(), state: null, Every, Every);
    }

    /// <summary>How often uses are written; what a crash loses.</summary>
    public static TimeSpan Every { get; } = TimeSpan.FromSeconds(10);

    /// <inheritdoc cref="FindAsync(string, IPAddress, string?, CancellationToken)"/>
    public ValueTask<Caller?> FindAsync(string bearer, IPAddress client, CancellationToken ct) =>
        FindAsync(bearer, client, agent: null, ct);

    /// <summary>
    /// Null for what is no key, is over, is not good from there, or whose account may not be used: the caller is told the same of all. What
    /// was mistyped or cut off is seen at once and costs nothing.
    /// </summary>
    /// <param name="bearer">What stands behind <c>Bearer</c>.</param>
    /// <param name="agent">What the program says of itself; null where it says nothing.</param>
    /// <exception cref="DirectoryUnavailableException">It cannot be said.</exception>
    public async ValueTask<Caller?> FindAsync(string bearer, IPAddress client, string? agent, CancellationToken ct)
    {
        if (!KeyText.TryParse(bearer, out var given))
            return null;
        var (key, at) = (given.Value, client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client);
        var found = await directory.FindAsync(
            $"key {key.Id}", sql => new StrongBox<KeyRow?>(KeyRow.Find(sql, key.Id)), ct);
        if (!key.Matches(found.Value?.Hash ?? new byte[32]) || found.Value is not { } row)
            return null;
        var now = clock.GetUtcNow();
        if (row.WhyNot(at, now) is { } reason)
        {
            audit.Append(new ServerEvent(now, "key_refused", $"key {row.Id} ({row.Label}) from {at}: {reason}")
            {
                Cause = new AuditCause(AuditKind.Server, at, Login: null, "key_refused", row.Id),
            });
            return null;
        }

        gathered[row.Id] = new KeyUse(now, at.ToString(), agent is { Length: > MaxAgent } ? agent[..MaxAgent] : agent);
        return new Caller($"key {row.Id}", row.Scopes, AdminDoor.Api)
        {
            Tenant = row.Tenant,
            Account = row.Account,
            Client = at.ToString(),
            Budget = $"key {row.Id}",
        };
    }

    /// <summary>Writes what was gathered. What fails is told once, and tried again.</summary>
    public void Write()
    {
        lock (writing)
        {
            if (gathered.IsEmpty)
                return;
            var batch = gathered.ToArray();
            try
            {
                state.Do(sql => sql.Execute(
                    """
                    insert into key_uses (key_id, at, client, agent) values (@Key, @At, @Client, @Agent)
                    on conflict (key_id) do update set at = excluded.at, client = excluded.client, agent = excluded.agent
                    """,
                    batch.Select(static one => new
                    {
                        one.Key,
                        At = one.Value.At.ToUnixTimeMilliseconds(),
                        one.Value.Client,
                        one.Value.Agent,
                    })));
                trouble = null;
            }
            catch (DirectoryUnavailableException e)
            {
                if (trouble != e.Message)
                    audit.Append(new ServerEvent(clock.GetUtcNow(), "last_use_not_kept", e.Message));
                trouble = e.Message;
                return;
            }

            foreach (var written in batch)
                gathered.TryRemove(written); // unless it was used again meanwhile
        }
    }

    public void Dispose()
    {
        timer.Dispose();
        Write();
    }

    /// <summary>The last use of every key, by id.</summary>
    internal static Dictionary<string, KeyUse> UsesOf(SqliteConnection sql) =>
        sql.Query<UseRow>("select key_id as Id, at, client, agent from key_uses").ToDictionary(
            static row => row.Id,
            static row => new KeyUse(DateTimeOffset.FromUnixTimeMilliseconds(row.At), row.Client, row.Agent),
            StringComparer.Ordinal);

    private sealed record UseRow(string Id, long At, string Client, string? Agent);
}
