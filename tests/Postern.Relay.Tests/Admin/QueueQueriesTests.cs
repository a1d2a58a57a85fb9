using Postern.Relay.Admin;
using Postern.Relay.Spool.Memory;
using Postern.Relay.Tests.Spool;

namespace Postern.Relay.Tests.Admin;

public sealed class QueueQueriesTests
{
    [Fact]
    public async Task Without_a_route_a_message_says_so_and_has_no_next_attempt()
    {
        var spool = new MemorySpool();
        var id = await Samples.CommitAsync(spool, Samples.Content(10));
        var parked = new QueueQueries(spool, static () => true).Find(id)!;
        Assert.Equal("no route", parked.State);
        Assert.Null(parked.NextAttempt);

        var waiting = new QueueQueries(spool, static () => false).Find(id)!;
        Assert.Equal("waiting", waiting.State);
        Assert.NotNull(waiting.NextAttempt);
        Assert.Equal("waiting", new QueueQueries(spool).Find(id)!.State);
    }

    [Fact]
    public async Task A_held_message_is_held_also_without_a_route()
    {
        var spool = new MemorySpool();
        var id = await Samples.CommitAsync(spool, Samples.Content(10));
        await spool.UpdateAsync(id, spool.Find(id)!.State with { Held = true }, Samples.Ct);
        Assert.Equal("held", new QueueQueries(spool, static () => true).Find(id)!.State);
    }
}
