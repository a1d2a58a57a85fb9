using Postern.Testing.Mailboxes;

namespace Postern.Relay.Tests.Policy.Watching;

/// <summary>
/// Six months of mailboxes with planted thefts and busy honest senders. The points were set by the stories of the seeds 1 to 6; what is
/// asked here are others.
/// </summary>
public sealed class TheftReplayTests(ITestOutputHelper output)
{
    [Fact]
    public void Nearly_every_theft_is_caught_within_fifty_messages_and_no_honest_sender_is_suspended()
    {
        var replay = TheftReplay.Of(seed: 71);
        output.WriteLine(replay.ToTable());
        Assert.Equal(50, replay.Thefts);
        Assert.True(replay.Caught * 100 >= replay.Thefts * 95, replay.ToTable());
        Assert.Equal(0, replay.HonestSuspended);
        // What is slowed or held is not lost: it may happen to a few of 450 in half a year.
        Assert.InRange(replay.HonestHeld, 0, 1);
        Assert.InRange(replay.HonestSlowed, 0, 10);
    }
}
