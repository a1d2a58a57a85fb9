using Postern.Relay.Admin;
using Postern.Relay.Delivery.Bounces;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
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
        var parked = (await new QueueQueries(spool, static () => true).FindAsync(id, Samples.Ct))!;
        Assert.Equal("no route", parked.State);
        Assert.Null(parked.NextAttempt);

        var waiting = (await new QueueQueries(spool, static () => false).FindAsync(id, Samples.Ct))!;
        Assert.Equal("waiting", waiting.State);
        Assert.NotNull(waiting.NextAttempt);
        Assert.Equal("waiting", (await new QueueQueries(spool).FindAsync(id, Samples.Ct))!.State);
    }

    [Fact]
    public async Task A_held_message_is_held_also_without_a_route()
    {
        var spool = new MemorySpool();
        var id = await Samples.CommitAsync(spool, Samples.Content(10));
        await spool.UpdateAsync(id, spool.Find(id)!.State with { Held = true }, Samples.Ct);
        Assert.Equal("held", (await new QueueQueries(spool, static () => true).FindAsync(id, Samples.Ct))!.State);
    }

    [Fact]
    public async Task What_the_sender_asked_for_is_shown()
    {
        var spool = new MemorySpool();
        var envelope = Samples.Asking();
        var item = (await new QueueQueries(spool).FindAsync(await Samples.CommitAsync(spool, Samples.Content(10), envelope), Samples.Ct))!;
        Assert.Equal(("QQ 314159+=", true, "notify"), (item.EnvelopeId, item.RequiresTls, item.DeliverByMode));
        Assert.Equal((envelope.Parameters.HoldUntil, envelope.Deadline!.At), (item.HoldUntil, item.DeliverBy));
        Assert.Equal(("success,delay", "rfc822;Bob+x@example.com"), (item.Recipients[0].Notify, item.Recipients[0].OriginalRecipient));
        Assert.Equal((null, null), (item.Recipients[1].Notify, item.Recipients[1].OriginalRecipient));
    }

    [Fact]
    public async Task A_refusal_is_called_what_the_operator_calls_it_now()
    {
        var spool = new MemorySpool();
        var id = await Samples.CommitAsync(spool, Samples.Content(10));
        await spool.UpdateAsync(id, spool.Find(id)!.State with { Recipients = [new RecipientState(RecipientStatus.Pending, "451 4.7.1 Come back on Tuesday") { Answer = new(451, "4.7.1", Trouble: null, IsVerbatim: true) }] }, Samples.Ct);
        var table = BounceTable.Default;
        var queries = new QueueQueries(spool, bounces: () => table);
        Assert.Equal("policy", (await queries.FindAsync(id, Samples.Ct))!.Recipients[0].Category);

        table = BounceTable.With([new BounceRow("closed_today") { Text = "on Tuesday" }]);
        Assert.Equal("closed_today", (await queries.FindAsync(id, Samples.Ct))!.Recipients[0].Category);
    }

    [Fact]
    public async Task Pages_follow_one_another_and_the_total_counts_all()
    {
        var spool = new MemorySpool();
        for (var i = 0; i < 5; i++)
            await Samples.CommitAsync(spool, Samples.Content(10));
        var queries = new QueueQueries(spool);
        var first = await queries.ListAsync(QueueFilter.Everything, limit: 2, after: null, Samples.Ct);
        Assert.True(QueueId.TryParse(first.Items[^1].Id, out var last));
        var second = await queries.ListAsync(QueueFilter.Everything, limit: 10, last, Samples.Ct);
        Assert.Equal((5, 2, 5, 3), (first.Total, first.Items.Length, second.Total, second.Items.Length));
    }
}
