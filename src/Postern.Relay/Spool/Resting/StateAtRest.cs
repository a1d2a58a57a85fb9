using System.Runtime.InteropServices;

namespace Postern.Relay.Spool.Resting;

/// <summary>
/// <see cref="DeliveryState"/> at rest, in the message itself: it changes with each attempt, and leaves nothing behind. One that has what
/// few have is kept as it is.
/// </summary>
internal readonly struct StateAtRest
{
    /// <summary>The states of the recipients, shared with others; or the whole state.</summary>
    private readonly object kept;
    private readonly long next;
    private readonly long tried;
    private readonly int attempts;
    private readonly byte reported;
    private readonly bool isHeld;

    private StateAtRest(DeliveryState state, object kept)
    {
        this.kept = kept;
        next = state.NextAttempt.UtcTicks;
        tried = state.TriedAt?.UtcTicks ?? 0;
        attempts = state.Attempts;
        reported = (byte)state.Reported;
        isHeld = state.Held;
    }

    public int Recipients => kept is DeliveryState state ? state.Recipients.Length : ((RecipientState[])kept).Length;

    /// <summary>What it shares with others; null where that is nothing.</summary>
    public RecipientState[]? Shared => kept as RecipientState[];

    public Standing Standing => kept is DeliveryState state
        ? Standing.Of(state)
        : new Standing(next, attempts != 0, isHeld, IsByServer: false, HasEnded: false);

    public static StateAtRest Of(DeliveryState state, RestingWords words) => new(state, IsUsual(state) ? words.States(state) : state);

    public DeliveryState ToState() => kept as DeliveryState
        ?? new DeliveryState(
            attempts,
            new DateTimeOffset(next, TimeSpan.Zero),
            isHeld,
            ImmutableCollectionsMarshal.AsImmutableArray((RecipientState[])kept))
        {
            TriedAt = tried == 0 ? null : new DateTimeOffset(tried, TimeSpan.Zero),
            Reported = (DelayReports)reported,
        };

    private static bool IsUsual(DeliveryState state) =>
        state is { HeldByServerAt: null, HeldFor: null, HasEnded: false, NotReported: null, Via: null, Return: null }
        && state.NextAttempt.Offset == TimeSpan.Zero
        && (state.TriedAt is not { } at || (at.Offset == TimeSpan.Zero && at.Ticks != 0));
}

/// <summary>What of a state says where its message stands in the order of what is due.</summary>
/// <param name="Next">When its state says that it is due, in UTC ticks.</param>
/// <param name="IsTried">There was an attempt.</param>
/// <param name="IsHeld">By an operator or by the server.</param>
/// <param name="IsByServer">It says when the server held it.</param>
/// <param name="HasEnded">Its delivery is over.</param>
internal readonly record struct Standing(long Next, bool IsTried, bool IsHeld, bool IsByServer, bool HasEnded)
{
    public static Standing Of(DeliveryState state) =>
        new(state.NextAttempt.UtcTicks, state.Attempts != 0, state.Held, state.HeldByServerAt is not null, state.HasEnded);
}
