using System.Collections.Immutable;
using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Audit;
using Postern.Relay.Policy;
using Postern.Smtp.Session;

namespace Postern.Relay.Admin;

/// <summary>Shows and ends the sessions of a running server. Each that an operator ends is one event in the log.</summary>
public sealed class SessionCommands(ISessionControl control, IAuditLog audit, TimeProvider clock)
{
    /// <summary>The oldest first.</summary>
    public ImmutableArray<SessionItem> List(SessionFilter filter) =>
        [.. control.List().Where(filter.Matches).OrderBy(static s => s.ConnectedAt).Select(SessionItem.Of)];

    /// <param name="by">Who asked.</param>
    public SessionChange End(SessionFilter filter, Operator by) => new(control.End(session =>
    {
        if (!filter.Matches(session))
            return false;
        audit.Append(by.Did(clock.GetUtcNow(), "session end", session.Login is { } login ? $"{session.Id}: {login}" : session.Id));
        return true;
    }));

    /// <summary>Rights were taken away: ends at once what would end within seconds.</summary>
    public Task<LoginsReviewed> ReviewAsync(CancellationToken ct) => control.ReviewAsync(ct);
}

/// <summary>The sessions of a running server.</summary>
public interface ISessionControl
{
    /// <summary>Those that are open now.</summary>
    IReadOnlyList<OpenSession> List();

    /// <summary>Ends those that are meant, with 421; says how many.</summary>
    int End(Func<OpenSession, bool> which);

    /// <summary>Ends those whose login is gone.</summary>
    Task<LoginsReviewed> ReviewAsync(CancellationToken ct);
}

/// <param name="Ended">Sessions that are ended.</param>
public sealed record SessionChange(int Ended);

/// <summary>Which sessions are meant: those that fit everything that is set. Nothing set means every session.</summary>
public sealed record SessionFilter
{
    /// <summary>One of these; empty for any.</summary>
    public ImmutableArray<string> Ids { get; init; } = [];

    /// <summary>Logged in as this account, or by it on behalf of another.</summary>
    public string? Login { get; init; }

    /// <summary>From this network: an address, or CIDR. A text that is neither meets nothing.</summary>
    public string? Client { get; init; }

    /// <summary>Nothing is set.</summary>
    public bool IsEverything => Ids.IsDefaultOrEmpty && Login is null && Client is null;

    public bool Matches(OpenSession session) =>
        (Ids.IsDefaultOrEmpty || Ids.Contains(session.Id, StringComparer.OrdinalIgnoreCase))
        && (Login is null || IsLogin(session))
        && (Client is null || (NetworkText.TryParse(Client, out var network, out _) && network.Contains(session.ClientAddress)));

    private bool IsLogin(OpenSession session) =>
        LoginNames.TryCanonical(Login!, out var name)
        && (string.Equals(session.Login, name, StringComparison.Ordinal)
            || string.Equals(session.LoginProvenBy, name, StringComparison.Ordinal));
}

/// <summary>One open session, for an operator.</summary>
/// <param name="Id">As in the logs.</param>
/// <param name="Client">Address and port.</param>
/// <param name="Login">On whose behalf it acts; null without a login.</param>
/// <param name="ProvenBy">Who has proven itself for that.</param>
public sealed record SessionItem(
    string Id, string Listener, string Client, DateTimeOffset Since, string? Login, string? ProvenBy, string? Mechanism, string? Tls)
{
    /// <summary><c>connected</c>, <c>ready</c>, or the part of a message that has come: <c>mail</c>, <c>rcpt</c>, <c>bdat</c>.</summary>
    public required string State { get; init; }

    internal static SessionItem Of(OpenSession session) => new(
        session.Id,
        session.Listener,
        new IPEndPoint(session.ClientAddress, session.ClientPort).ToString(),
        session.ConnectedAt,
        session.Login,
        session.LoginProvenBy,
        session.Mechanism,
        session.Tls)
    {
        State = session.Phase.ToString().ToLowerInvariant(),
    };
}
