using System.Collections.Concurrent;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Dialogue;

/// <summary>The sessions of a server that are open, whatever options they began with, and what is done to them from outside.</summary>
/// <param name="left">Called after each session that has ended.</param>
internal sealed class OpenSessions(Action left)
{
    private readonly ConcurrentDictionary<SmtpSession, byte> sessions = new();
    private volatile bool cutOff;

    public bool IsEmpty => sessions.IsEmpty;

    /// <summary>In no order.</summary>
    public IEnumerable<SmtpSession> All => sessions.Select(static s => s.Key);

    public void Enter(SmtpSession session)
    {
        sessions.TryAdd(session, 0);
        if (cutOff)
            session.Interrupt(StandardReply.ShuttingDown);
    }

    public void Leave(SmtpSession session)
    {
        sessions.TryRemove(session, out _);
        left();
    }

    /// <summary>Ends the sessions whose time is up.</summary>
    public void ExpireAt(long now)
    {
        foreach (var (session, _) in sessions)
            session.ExpireAt(now);
    }

    /// <summary>Ends with 421 the sessions that wait for their client's next command.</summary>
    public void EndQuiet()
    {
        foreach (var (session, _) in sessions)
        {
            if (session.IsBetweenCommands)
                session.Interrupt(StandardReply.ShuttingDown);
        }
    }

    /// <summary>Ends every session now, and those that come later at once.</summary>
    public void CutOff()
    {
        cutOff = true;
        foreach (var (session, _) in sessions)
            session.Interrupt(StandardReply.ShuttingDown);
    }

    /// <summary>As <see cref="SmtpServer.EndSessions"/>.</summary>
    public int End(Func<OpenSession, bool> which)
    {
        var ended = 0;
        foreach (var (session, _) in sessions)
        {
            if (!which(OpenSession.Of(session.State)))
                continue;
            session.Dismiss(StandardReply.Dismissed);
            ended++;
        }

        return ended;
    }

    /// <summary>Asks for every session whether its login still holds, and ends those whose login is gone.</summary>
    /// <param name="isPatient">Goes on with the others when nothing can be said of one.</param>
    public async Task<LoginsReviewed> ReviewLoginsAsync(bool isPatient, CancellationToken ct)
    {
        var (ended, unsure) = (0, 0);
        foreach (var (session, _) in sessions)
        {
            switch (await session.ReviewFromOutsideAsync(ct))
            {
                case LoginAnswer.NoMatch:
                    ended++;
                    break;
                case { WhyOpen: not null }:
                    unsure++;
                    if (!isPatient)
                        return new LoginsReviewed(ended, unsure);
                    break;
            }
        }

        return new LoginsReviewed(ended, unsure);
    }
}
