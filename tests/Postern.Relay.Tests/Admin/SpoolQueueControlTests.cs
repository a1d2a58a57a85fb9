using Postern.Relay.Admin;
using Postern.Relay.Spool.Memory;
using Postern.Relay.Tests.Spool;
using Postern.Testing;

namespace Postern.Relay.Tests.Admin;

/// <summary>What operators change while no server runs.</summary>
public sealed class SpoolQueueControlTests
{
    [Fact]
    public async Task What_its_sender_wants_held_is_left_by_a_retry_and_ended_by_a_release()
    {
        var spool = new MemorySpool();
        var envelope = Samples.Asking();
        var release = envelope.Parameters.HoldUntil!.Value;
        var clock = new ManualClock(release - TimeSpan.FromHours(1));
        var id = await Samples.CommitAsync(spool, Samples.Content(10), envelope);
        await spool.UpdateAsync(id, spool.Find(id)!.State with { NextAttempt = release }, Samples.Ct);
        var control = new SpoolQueueControl(spool, clock);

        Assert.False(await control.RetryAsync(id, Samples.Ct));
        Assert.Equal(release, spool.Find(id)!.State.NextAttempt);
        Assert.True(await control.ReleaseAsync(id, Samples.Ct));
        Assert.Equal(clock.GetUtcNow(), spool.Find(id)!.State.NextAttempt);
    }
}
