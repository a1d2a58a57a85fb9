using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Dapper;
using Microsoft.Data.Sqlite;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Sasl;
using Postern.Web.Storage;

namespace Postern.Web.Access;

/// <summary>
/// People who are signed in. A session is as good as the operator is now: another password, role or name ends it at the next call,
/// whichever process changed that. What is kept of a cookie is its digest.
/// </summary>
/// <remarks>Every question throws <see cref="DirectoryUnavailableException"/> when it cannot be answered.</remarks>
internal sealed class Sessions(SqliteDirectory directory, WebState state, IAuditLog audit, TimeProvider clock)
{
    /// <summary>Of one operator; the one that was used longest ago gives way.</summary>
    private const int MostOfOne = 32;

    private const int MaxAgent = 200;

    /// <summary>How exactly the last use is known.</summary>
    private static readonly TimeSpan SeenEvery = TimeSpan.FromMinutes(1);

    /// <summary>Without a call it ends after this.</summary>
    public static TimeSpan Idle { get; } = TimeSpan.FromHours(12);

    public static TimeSpan Longest { get; } = TimeSpan.FromDays(7);

    /// <summary>
    /// Who is signed in; null for what is no cookie of ours, one that is over, and for an operator who may not any more.
    /// </summary>
    /// <param name="cookie">The value of the cookie, as the browser sent it.</param>
    /// <param name="client">Where the call comes from.</param>
    public async ValueTask<Caller?> FindAsync(string cookie, IPAddress client, CancellationToken ct)
    {
        if (!SessionCookie.TryHash(cookie, out var hash))
            return null;
        var now = clock.GetUtcNow();
        if (state.Do(sql => SessionRow.Find(sql, hash)) is not { } session || session.IsOver(now))
            return null;
        var found = await directory.FindAsync(
            string.Create(CultureInfo.InvariantCulture, $"operator {session.OperatorId}"),
            sql => new StrongBox<OperatorRow?>(OperatorRow.Find(sql, session.OperatorId)),
            ct);
        if (found.Value is not { Refusal: null, Role: { } role } who || who.Generation != session.Generation)
            return null;
        if (now - session.SeenAt >= SeenEvery)
            state.Do(sql => sql.Execute(
                "update sessions set seen_at = @now where id = @Id", new { session.Id, now = now.ToUnixTimeMilliseconds() }));
        return new Caller(who.Name, role.Scopes, AdminDoor.Console)
        {
            Tenant = who.Tenant,
            Client = TextOf(client),
            ProvedAt = session.ProvedAt,
            Budget = string.Create(CultureInfo.InvariantCulture, $"session {session.Id}"),
        };
    }

    /// <summary>
    /// Begins one for somebody who has just proved to be the one; the session before it, if this browser had one, ends. The cookie is new
    /// each time: what a stranger had put there is worth nothing.
    /// </summary>
    /// <param name="before">The value of the cookie that the browser has shown; null for none.</param>
    /// <param name="agent">What the browser says of itself.</param>
    internal SignedIn Begin(OperatorRow who, IPAddress client, string? agent, string? before)
    {
        var (cookie, now) = (SessionCookie.Generate(), clock.GetUtcNow());
        _ = SessionCookie.TryHash(cookie.Reveal(), out var hash);
        var at = now.ToUnixTimeMilliseconds();
        var id = state.Do(sql =>
        {
            if (before is not null && SessionCookie.TryHash(before, out var old))
                sql.Execute("delete from sessions where hash = @old", new { old });
            sql.Execute(
                "delete from sessions where seen_at <= @idle or created_at <= @longest",
                new { idle = (now - Idle).ToUnixTimeMilliseconds(), longest = (now - Longest).ToUnixTimeMilliseconds() });
            sql.Execute(
                """
                delete from sessions where operator_id = @Id and id not in (
                    select id from sessions where operator_id = @Id order by seen_at desc, id desc limit @most)
                """,
                new { who.Id, most = MostOfOne - 1 });
            return sql.ExecuteScalar<long>(
                """
                insert into sessions (hash, operator_id, generation, created_at, proved_at, seen_at, client, agent)
                values (@hash, @Id, @Generation, @at, @at, @at, @client, @agent); select last_insert_rowid()
                """,
                new { hash, who.Id, who.Generation, at, client = TextOf(client), agent = Short(agent) });
        });
        return new SignedIn(who.Name, id, cookie, now + Longest);
    }

    /// <summary>The session of a cookie ends; false where there was none.</summary>
    public bool SignOut(string cookie) =>
        SessionCookie.TryHash(cookie, out var hash)
        && state.Do(sql => sql.Execute("delete from sessions where hash = @hash", new { hash })) > 0;

    /// <summary>Those that are open, the newest first.</summary>
    /// <param name="name">Of one operator; null for all.</param>
    public ImmutableArray<SessionDetails> List(string? name)
    {
        var now = clock.GetUtcNow();
        var operators = directory.Read(OperatorRow.All).ToDictionary(static one => one.Id);
        return
        [
            .. state.Do(SessionRow.All)
                .Where(row => !row.IsOver(now)
                    && operators.TryGetValue(row.OperatorId, out var who)
                    && who.Generation == row.Generation
                    && who.Refusal is null
                    && (name is null || who.Name == name))
                .Select(row => new SessionDetails(
                    row.Id, operators[row.OperatorId].Name, row.CreatedAt, row.SeenAt, row.Client, row.Agent)),
        ];
    }

    /// <summary>Ends one by its number, or all of an operator; the number that ended.</summary>
    /// <param name="name">Whose; also beside a number, so that nobody ends another's by mistake.</param>
    /// <param name="id">Null for all.</param>
    public int End(string name, long? id, Relay.Admin.Operator by)
    {
        var ended = List(name).Where(one => id is null || one.Id == id).Select(static one => one.Id).ToList();
        if (ended.Count == 0)
            return 0;
        state.Do(sql => sql.Execute("delete from sessions where id in @ended", new { ended }));
        audit.Append(by.Did(
            clock.GetUtcNow(),
            "operator session end",
            name,
            [.. ended.Select(static one => new AdminChange("session", one.ToString(CultureInfo.InvariantCulture), After: null))]));
        return ended.Count;
    }

    private static string TextOf(IPAddress client) => (client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client).ToString();

    private static string? Short(string? agent) => agent is { Length: > MaxAgent } ? agent[..MaxAgent] : agent;

    private sealed record SessionRow(
        long Id, long OperatorId, long Generation, long Created, long Proved, long Seen, string Client, string? Agent)
    {
        private const string Select =
            """
            select id, operator_id as OperatorId, generation, created_at as Created, proved_at as Proved, seen_at as Seen, client, agent
            from sessions
            """;

        public DateTimeOffset CreatedAt => DateTimeOffset.FromUnixTimeMilliseconds(Created);

        public DateTimeOffset ProvedAt => DateTimeOffset.FromUnixTimeMilliseconds(Proved);

        public DateTimeOffset SeenAt => DateTimeOffset.FromUnixTimeMilliseconds(Seen);

        public bool IsOver(DateTimeOffset now) => now - SeenAt >= Idle || now - CreatedAt >= Longest;

        public static SessionRow? Find(SqliteConnection sql, byte[] hash) =>
            sql.QuerySingleOrDefault<SessionRow>($"{Select} where hash = @hash", new { hash });

        public static ImmutableArray<SessionRow> All(SqliteConnection sql) => [.. sql.Query<SessionRow>($"{Select} order by id desc")];
    }
}

/// <summary>A person has signed in.</summary>
/// <param name="Session">The number of the session.</param>
/// <param name="Cookie">For this browser alone, this once.</param>
internal sealed record SignedIn(string Name, long Session, Secret Cookie, DateTimeOffset ExpiresAt);

/// <summary>A session as its owner and an operator see it.</summary>
/// <param name="Client">The address at which it began.</param>
/// <param name="Agent">As the browser says of itself: text of a stranger.</param>
internal sealed record SessionDetails(
    long Id, string Operator, DateTimeOffset CreatedAt, DateTimeOffset SeenAt, string Client, string? Agent);
