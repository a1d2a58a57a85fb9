using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Memory;
using Postern.Testing;

namespace Postern.Relay.Tests.Spool;

public sealed class MemorySpoolTests : SpoolClaimsContract
{
    private readonly ManualClock clock = new();

    public MemorySpoolTests() => Spool = new MemorySpool(clock);

    [Fact]
    public async Task New_mail_is_behind_none_that_was_tried_before_but_takes_turns_with_it()
    {
        var now = clock.GetUtcNow();
        for (var i = 0; i < 10; i++)
            await CommitAsync(DeliveryState.Fresh(1, now.AddHours(-1)) with { Attempts = 2 });
        var news = await CommitAsync(DeliveryState.Fresh(1, now));

        await using var claims = await Spool.OpenClaimsAsync(TestContext.Current.CancellationToken);
        var batch = await claims.ClaimDueAsync(now, most: 2, shelf: null, TestContext.Current.CancellationToken);
        Assert.Equal(news, batch.Claims[0].Id);
        Assert.Equal(2, batch.Claims[1].Entry.State.Attempts);

        // One that has been tried stands with the others from then on.
        await claims.RecordAsync(batch.Claims[0], batch.Claims[0].Entry.State with { Attempts = 1, NextAttempt = now.AddMinutes(1) }, TestContext.Current.CancellationToken);
        await claims.ReleaseAsync(batch.Claims[0], shelf: null, TestContext.Current.CancellationToken);
        batch = await claims.ClaimDueAsync(now.AddMinutes(1), most: 100, shelf: null, TestContext.Current.CancellationToken);
        Assert.Equal(10, batch.Claims.Count);
        Assert.Equal(news, batch.Claims[^1].Id);
    }

    private async Task<QueueId> CommitAsync(DeliveryState state)
    {
        var envelope = Samples.Envelope();
        await using var draft = Spool.CreateDraft();
        await draft.CommitAsync(envelope, state, TestContext.Current.CancellationToken);
        return envelope.Id;
    }

    protected override ISpool Spool { get; }

    protected override ManualClock Clock => clock;

    protected override ValueTask<bool> ReopenAsync() => new(false);

    protected override ValueTask<bool> KillAsync() => new(false);
}
