namespace Postern.Relay.Policy.Watching;

/// <summary>From how many points on what is done.</summary>
/// <param name="Throttle">One recipient in <paramref name="Every"/> is taken, the others are asked to come again.</param>
/// <param name="Hold">Messages wait for an operator.</param>
/// <param name="Suspend">The credential or account sends nothing for <paramref name="SuspendFor"/>.</param>
internal sealed record WatchLevels(int Throttle, int Hold, int Suspend, TimeSpan SuspendFor, TimeSpan Every)
{
    /// <summary>No step is taken at so many.</summary>
    public const int Never = int.MaxValue;

    public static WatchLevels Usual { get; } = new(60, 75, 100, TimeSpan.FromDays(1), TimeSpan.FromMinutes(1));

    /// <summary>The account is suspended, also where one credential of it is the one that is watched.</summary>
    public bool SuspendsAccount { get; init; }

    public WatchStep StepAt(int points) =>
        points >= Suspend ? WatchStep.Suspend
        : points >= Hold ? WatchStep.Hold
        : points >= Throttle ? WatchStep.Throttle
        : WatchStep.None;
}

/// <summary>What is done with what a login sends; the heavier is the greater.</summary>
public enum WatchStep
{
    None,
    Throttle,
    Hold,
    Suspend,
}
