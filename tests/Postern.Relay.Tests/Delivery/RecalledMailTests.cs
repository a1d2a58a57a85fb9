using System.Collections.Concurrent;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>
/// What operators do to mail that waits for its turn, for a rate or for a connection, counts at once: it is claimed and in line, and nothing of it is on
/// its way.
/// </summary>
public sealed class RecalledMailTests
{
    private static readonly Operator Root = new("root");

    private readonly ManualClock clock = new();
    private readonly ConcurrentQueue<(string Hop, string Recipient)> sent = new();
    private readonly TaskCompletionSource freed = new();
    private Wait awaited;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public enum Wait
    {
        ForRate,
        ForConnection,
    }

    private static DeliveryOptions Options(Wait wait)
    {
        var options = DeliveryRig.Options(new Route("*", "mx")) with { ConnectionsPerDestination = 1 };
        return wait == Wait.ForRate ? options with { Shaping = ShapingTable.Of([Shaped.Domain("there.test", ShapingKey.Messages, new Rate(1, TimeSpan.FromHours(1), 1))]) } : options;
    }

    [Theory]
    [InlineData(Wait.ForRate)]
    [InlineData(Wait.ForConnection)]
    public async Task Held_mail_is_held_at_once_and_goes_when_it_is_released(Wait wait)
    {
        await using var rig = Rig(wait);
        var (first, waiting) = await InLineAsync(rig, "held@there.test", "other@there.test");

        var change = await CommandsOf(rig).ApplyAsync(QueueAction.Hold, new QueueFilter { To = "held@there.test" }, Root, Ct);

        Assert.Equal((1, 1), (change.Matched, change.Changed));
        Assert.True(rig.Spool.Find(waiting[0])!.State.Held);
        await FreeAsync(rig, first);
        await rig.Spool.GoneAsync(waiting[1]);
        Assert.DoesNotContain(sent, static s => s.Recipient == "held@there.test");

        Assert.Equal(1, (await CommandsOf(rig).ApplyAsync(QueueAction.Release, QueueFilter.Everything, Root, Ct)).Changed);
        await rig.Spool.GoneAsync(waiting[0]);
        Assert.Single(sent, static s => s.Recipient == "held@there.test");
    }

    [Theory]
    [InlineData(Wait.ForRate)]
    [InlineData(Wait.ForConnection)]
    public async Task Returned_mail_is_reported_at_once_and_never_sent(Wait wait)
    {
        await using var rig = Rig(wait);
        var (first, waiting) = await InLineAsync(rig, "returned@there.test");

        Assert.Equal(1, (await CommandsOf(rig).ApplyAsync(QueueAction.Bounce, new QueueFilter { To = "returned@there.test" }, Root, Ct)).Changed);

        await rig.Spool.GoneAsync(waiting[0]);
        Assert.Contains(rig.Audit.Events.OfType<DeliveryEvent>(), static e => e is { Recipient: "returned@there.test", Outcome: DeliveryOutcome.Failed, Category: "returned" });
        await FreeAsync(rig, first);
        Assert.DoesNotContain(sent, static s => s.Recipient == "returned@there.test");
    }

    [Theory]
    [InlineData(Wait.ForRate)]
    [InlineData(Wait.ForConnection)]
    public async Task Mail_that_is_sent_another_way_goes_it_at_once(Wait wait)
    {
        await using var rig = Rig(wait);
        var (_, waiting) = await InLineAsync(rig, "rerouted@there.test");

        Assert.Equal(1, (await CommandsOf(rig).ApplyAsync(QueueAction.Reroute, new QueueFilter { To = "rerouted@there.test" }, Root, Ct, "smtp://other.test")).Changed);

        await rig.Spool.GoneAsync(waiting[0]);
        Assert.Contains(sent, static s => s == ("other.test:25", "rerouted@there.test"));
    }

    [Theory]
    [InlineData(Wait.ForRate)]
    [InlineData(Wait.ForConnection)]
    public async Task Who_is_redirected_gets_nothing_and_who_is_beside_him_in_the_same_transaction_does(Wait wait)
    {
        await using var rig = Rig(wait);
        var first = await FirstAsync(rig);
        var both = await rig.AddAsync("gone@there.test", "stays@there.test");
        await WaitsAsync(rig);

        Assert.Equal(1, (await CommandsOf(rig).ApplyAsync(QueueAction.Redirect, new QueueFilter { To = "gone@there.test" }, Root, Ct, "new@there.test")).Changed);

        await FreeAsync(rig, first);
        await rig.Spool.GoneAsync(both);
        await UntilAsync(() => sent.Any(static s => s.Recipient == "new@there.test"));
        Assert.DoesNotContain(sent, static s => s.Recipient == "gone@there.test");
        Assert.Single(sent, static s => s.Recipient == "stays@there.test");
    }

    /// <summary>A rate that was let through for mail that is no more would be lost to what is behind it.</summary>
    [Fact]
    public async Task Removed_mail_takes_nothing_of_a_rate()
    {
        await using var rig = Rig(Wait.ForRate);
        var (_, waiting) = await InLineAsync(rig, "removed@there.test", "other@there.test");

        Assert.Equal(1, (await CommandsOf(rig).ApplyAsync(QueueAction.Remove, new QueueFilter { To = "removed@there.test" }, Root, Ct)).Changed);
        clock.Advance(TimeSpan.FromMinutes(61));
        await UntilAsync(() => sent.Count == 2);
        await WaitsAsync(rig);
        clock.Advance(TimeSpan.FromMinutes(61));

        await rig.Spool.GoneAsync(waiting[1]);
        Assert.DoesNotContain(sent, static s => s.Recipient == "removed@there.test");
    }

    private DeliveryRig Rig(Wait wait)
    {
        awaited = wait;
        var rig = new DeliveryRig(
            Options(wait),
            clock,
            transport: new FakeTransport(async (hop, message) =>
            {
                if (wait == Wait.ForConnection && hop is NextHop.MailExchanger)
                    await freed.Task;
                foreach (var recipient in message.Recipients)
                    sent.Enqueue((hop.Name, recipient.Address));
                return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
            }));
        clock.Advance(TimeSpan.FromHours(1));
        rig.Scheduler.Start();
        return rig;
    }

    /// <summary>One is under way or has just used up the rate; the others are in line behind it.</summary>
    private async Task<(QueueId First, List<QueueId> Waiting)> InLineAsync(DeliveryRig rig, params string[] recipients)
    {
        var first = await FirstAsync(rig);
        var waiting = new List<QueueId>();
        foreach (var recipient in recipients)
            waiting.Add(await rig.AddAsync(recipient));
        await WaitsAsync(rig);
        return (first, waiting);
    }

    private async Task<QueueId> FirstAsync(DeliveryRig rig)
    {
        var first = await rig.AddAsync("first@there.test");
        // A lane takes the next message together with the one that it sends: two are on their way.
        var second = await rig.AddAsync("second@there.test");
        await UntilAsync(() => awaited == Wait.ForRate ? !sent.IsEmpty : rig.Scheduler.Statistics().Destinations.Any(static d => d.Connections == 1));
        return rig.Spool.Find(first) is null ? second : first;
    }

    /// <summary>Behind what is under way, or for a rate that has been asked when there is enough of it.</summary>
    private Task WaitsAsync(DeliveryRig rig) =>
        UntilAsync(() => rig.Scheduler.Statistics().Destinations.Any(d => d.Waiting > 0 && (awaited == Wait.ForConnection || d.WaitsFor is not null)));

    private async Task FreeAsync(DeliveryRig rig, QueueId first)
    {
        freed.TrySetResult();
        rig.Scheduler.Apply(Options(Wait.ForConnection));
        await rig.Spool.GoneAsync(first);
    }

    private QueueCommands CommandsOf(DeliveryRig rig) => new(rig.Spool, new SchedulerQueueControl(rig.Scheduler, rig.Spool), rig.Audit, clock);

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!isSo())
        {
            Assert.False(patience.IsCancellationRequested, "it does not come to it");
            await Task.Yield();
        }
    }
}
