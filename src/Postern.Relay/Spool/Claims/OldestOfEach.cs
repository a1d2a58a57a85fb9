namespace Postern.Relay.Spool.Claims;

/// <summary>Finds the oldest message of each condition among those that it is shown, in order of arrival.</summary>
internal sealed class OldestOfEach(SpoolTally tally, int count, DateTimeOffset now)
{
    private TimeSpan? waiting;
    private TimeSpan? deferred;
    private TimeSpan? held;
    private TimeSpan? active;
    private int untriedLeft = count - tally.Held - tally.Claimed - tally.Tried;

    public SpoolAges Ages => new(waiting, deferred, held, active);

    /// <summary>No message that is still to come can change anything.</summary>
    public bool IsDone =>
        (deferred is not null || tally.Tried == 0)
        && (held is not null || tally.Held == 0)
        && (active is not null || tally.Claimed == 0)
        && (waiting is not null || untriedLeft <= 0);

    public void Look(SpoolItem item, bool isClaimed)
    {
        var standing = item.Standing;
        var arrived = now - item.Id.CreatedAt;
        if (isClaimed)
            active ??= Positive(arrived);
        else if (standing.IsHeld)
            held ??= Positive(arrived);
        else if (standing.IsTried)
            deferred ??= Positive(arrived);
        else
            Untried(arrived, standing.Next);
    }

    /// <summary>What is not due yet is not late; the oldest of the others may stand behind it.</summary>
    private void Untried(TimeSpan arrived, long due)
    {
        untriedLeft--;
        var could = TimeSpan.FromTicks(now.UtcTicks - due);
        if (could >= TimeSpan.Zero)
            waiting ??= could < arrived ? could : Positive(arrived);
    }

    private static TimeSpan Positive(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;
}
