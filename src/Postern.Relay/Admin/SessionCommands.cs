using System.Collections.Immutable;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Smtp.Session;

namespace Postern.Relay.Admin;

/// <summary>Shows and ends the sessions of a running server. Each that an operator ends is one event in the log.</summary>
public sealed class SessionCommands(ISessionControl control, IAuditLog audit, TimeProvider clock)
{
    /// <summary>The oldest first.</summary>
    public ImmutableArray<SessionItem> List(SessionFilter filter) => [.. control.List().Where(filter.Matches).OrderBy(static s => s.ConnectedAt).Select(SessionItem.Of)];

    /// <param name="actor">The system user who asked.</param>
    public SessionChange End(SessionFilter filter, string actor) => new(control.End(session =>
    {
        if (!filter.Matches(session))
            return false;
        audit.Append(new AdminEvent(clock.GetUtcNow(), actor, "session end", session.Login is { } login ? $"{session.Id}: {login}" : session.Id));
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
