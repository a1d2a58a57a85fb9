using Postern.Smtp.Overload;
using Postern.Smtp.Session;

namespace Postern.Smtp.Dialogue;

/// <summary>
/// The limits of one listener in each state, made once. Under pressure a client that did not log in has less time than one that
/// did; what EHLO has announced stays (<see cref="SessionLimits.MessageOctets"/>).
/// </summary>
internal sealed class LimitsByLoad(SessionLimits normal)
{
    private readonly SessionLimits stressed = Tighten(normal, TimeSpan.FromSeconds(30));
    private readonly SessionLimits urgent = Tighten(normal, TimeSpan.FromSeconds(10));

    public SessionLimits For(LoadState state, bool isAuthenticated) => state switch
    {
        LoadState.Normal => normal,
        LoadState.Stressed when isAuthenticated => stressed,
        _ => urgent,
    };

    private static SessionLimits Tighten(SessionLimits limits, TimeSpan idle) => limits with
    {
        Idle = Least(limits.Idle, idle),
        DataBlock = Least(limits.DataBlock, idle),
        DataOctetsPerSecond = Math.Max(limits.DataOctetsPerSecond, 4_000),
        Handshake = Least(limits.Handshake, TimeSpan.FromSeconds(10)),
        Recipients = Math.Min(limits.Recipients, 100),
        FailedLogins = Math.Min(limits.FailedLogins, 3),
        BadCommands = Math.Min(limits.BadCommands, 5),
        Refusals = Math.Min(limits.Refusals, 20),
    };

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
