using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Mail that waits for its turn has its times all the same: its sender hears of the delay, and what has no time left is given up, untried.</summary>
public sealed class LineWatchTests
{
    /// <summary>From one look to the next, and a little.</summary>
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(61);

    private readonly ManualClock clock = new();

    /// <summary>One message in a year leaves; all others wait, so many of them on a shelf of the spool.</summary>
    private static DeliveryOptions OneAYear => DeliveryRig.Options(new Route("*", "mx")) with
    {
        Shaping = ShapingTable.Of([Shaped.Domain("slow.test", ShapingKey.Messages, new Rate(1, TimeSpan.FromDays(365), 1))]),
        IdleClose = TimeSpan.FromDays(900),
    };

    /// <summary>Looking takes no time at all, however busy this machine is.</summary>
    private DeliveryRig Rig(DeliveryOptions options, FakeTransport? transport = null)
    {
        var rig = new DeliveryRig(options, clock, transport: transport ?? Taking());
        rig.Scheduler.Line.Machine = new ManualClock();
        return rig;
    }

    private static FakeTransport Taking() => new(static (_, message) =>
        Task.FromResult(new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true)));

    private static Func<Envelope, Envelope> By(TimeSpan within, bool isNotify) => e => e with
    {
        Said = e.Said with { Parameters = new MailParameters { DeliverBy = new DeliverBy(within, isNotify, IsTrace: false) } },
    };

    /// <summary>The only message of the year, and so many behind it.</summary>
    private static async Task<List<QueueId>> FillAsync(DeliveryRig rig, int count, Func<Envelope, Envelope>? with = null)
    {
        await rig.Spool.GoneAsync(await rig.AddAsync("first@slow.test"));
        var ids = new List<QueueId>();
        while (ids.Count < count)
            ids.Add(await rig.AddAsync(with ?? (static e => e), $"b{ids.Count}@slow.test"));
        return ids;
    }

    [Theory]
    [InlineData(1, 1000)]
    [InlineData(5, 1000)]
    [InlineData(40, 8)]
    public async Task Their_senders_hear_once_that_they_wait_and_they_wait_on(int count, int atWork)
    {
        await using var rig = Rig(OneAYear with { MessagesAtWorkPerDestination = atWork, MessagesAtWork = Math.Max(16, atWork) });
        rig.Scheduler.Start();
        var ids = await FillAsync(rig, count);

        await LookAsync(rig, TimeSpan.FromHours(4) - Usual);
        Assert.Empty(Reports(rig));

        await AdvanceAsync(rig, Usual * 3);
        await UntilAsync(() => Reports(rig).Count == count);
        await AdvanceAsync(rig, TimeSpan.FromHours(9));

        Assert.Equal(ids.Select(static id => id.ToString()).Order(), Reports(rig).Select(static b => b.QueueId).Order());
        Assert.All(Reports(rig), static b => Assert.Contains("delayed: its turn has not come: more mail waits here", b.Reason, StringComparison.Ordinal));
        Assert.All(ids, id => Assert.True(rig.Spool.Find(id)?.State is { Attempts: 0, Reported: DelayReports.Late, Held: false }));
        Assert.DoesNotContain(rig.Audit.Events.OfType<DeliveryEvent>(), static e => e.Recipient.StartsWith('b'));
    }

    [Fact]
    public async Task A_report_says_how_it_is_and_not_what_the_configuration_says()
    {
        await using var rig = Rig(OneAYear, new FakeTransport(async (_, message) =>
        {
            if (message.Sender.IsNull)
                await Task.Delay(Timeout.Infinite);
            return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
        }));
        rig.Scheduler.Start();
        await FillAsync(rig, 1);
        await AdvanceAsync(rig, TimeSpan.FromHours(4) + (Usual * 2));
        await UntilAsync(() => Reports(rig).Count == 1);

        Assert.True(QueueId.TryParse(Reports(rig)[0].BounceId, out var report));
        var text = rig.Spool.Text(report);
        Assert.Contains("\r\nAction: delayed\r\nStatus: 4.4.5\r\nDiagnostic-Code: x-postern; its turn has not come", text, StringComparison.Ordinal);
        Assert.Contains("More mail waits here for slow.test than this mail server may", text, StringComparison.Ordinal);
        Assert.DoesNotContain("test:1", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1000)]
    [InlineData(40, 8)]
    public async Task What_has_no_time_left_is_given_up_at_its_time(int count, int atWork)
    {
        var options = OneAYear with { MessagesAtWorkPerDestination = atWork, MessagesAtWork = Math.Max(16, atWork) };
        await using var rig = Rig(options with { Retry = options.Retry with { Warn = TimeSpan.FromDays(100) } });
        rig.Scheduler.Start();
        var ids = await FillAsync(rig, count);

        await AdvanceAsync(rig, TimeSpan.FromDays(5) - Usual);
        Assert.Empty(Reports(rig));
        await AdvanceAsync(rig, Usual * 3);
        foreach (var id in ids)
            await rig.Spool.GoneAsync(id);

        var failed = rig.Audit.Events.OfType<DeliveryEvent>().Where(static e => e.Recipient.StartsWith('b')).ToList();
        Assert.Equal(count, failed.Count);
        Assert.All(failed, static e => Assert.Equal((DeliveryOutcome.Failed, "5.4.7", "no_turn", 1), (e.Outcome, e.Status, e.Category, e.Attempt)));
        Assert.All(failed, static e => Assert.StartsWith("its turn has not come: ", e.Reply, StringComparison.Ordinal));
        Assert.Equal(count, Reports(rig).Count);
    }

    /// <summary>RFC 2852 §4.1.4: at the time that its sender gave it, to the second.</summary>
    [Fact]
    public async Task A_deadline_that_returns_is_kept_before_its_turn()
    {
        await using var rig = Rig(OneAYear);
        rig.Scheduler.Start();
        var id = Assert.Single(await FillAsync(rig, 1, By(TimeSpan.FromSeconds(150), isNotify: false)));
        await LookAsync(rig, TimeSpan.FromSeconds(149));
        Assert.NotNull(rig.Spool.Find(id));
        await LookAsync(rig, TimeSpan.FromSeconds(2));
        await rig.Spool.GoneAsync(id);

        var failed = Assert.Single(rig.Audit.Events.OfType<DeliveryEvent>(), static e => e.Recipient.StartsWith('b'));
        Assert.Equal((DeliveryOutcome.Failed, "5.4.7", "expired"), (failed.Outcome, failed.Status, failed.Category));
    }

    [Fact]
    public async Task A_deadline_that_notifies_is_told_before_its_turn_and_the_message_waits_on()
    {
        await using var rig = Rig(OneAYear);
        rig.Scheduler.Start();
        var id = Assert.Single(await FillAsync(rig, 1, By(TimeSpan.FromSeconds(150), isNotify: true)));
        await LookAsync(rig, TimeSpan.FromSeconds(149));
        await LookAsync(rig, TimeSpan.FromSeconds(2));
        Assert.Single(Reports(rig));
        await AdvanceAsync(rig, TimeSpan.FromMinutes(30));

        Assert.Single(Reports(rig));
        Assert.True(rig.Spool.Find(id)?.State is { Attempts: 0, Reported: DelayReports.Overdue });
    }

    /// <summary>Behind a hop that hangs it is the same as behind a rate.</summary>
    [Fact]
    public async Task What_waits_for_a_connection_has_its_times_too()
    {
        var answer = new TaskCompletionSource();
        await using var rig = Rig(
            DeliveryRig.Options(new Route("*", "mx")) with { ConnectionsPerDestination = 1 },
            new FakeTransport(async (_, message) =>
            {
                if (!message.Sender.IsNull)
                    await answer.Task;
                return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
            }));
        rig.Scheduler.Start();
        await rig.AddAsync("first@slow.test");
        await UntilAsync(() => rig.Scheduler.Statistics().Destinations is [{ Waiting: 0, Connections: 1 }]);
        var id = await rig.AddAsync("b@slow.test");
        var by = await rig.AddAsync(By(TimeSpan.FromMinutes(10), isNotify: false), "by@slow.test");

        await AdvanceAsync(rig, TimeSpan.FromMinutes(11));
        await rig.Spool.GoneAsync(by);
        await AdvanceAsync(rig, TimeSpan.FromHours(4));
        await UntilAsync(() => Reports(rig).Any(b => b.QueueId == id.ToString()));
        answer.SetResult();
        await rig.Spool.GoneAsync(id);
    }

    /// <summary>What kept it from its turn before nobody knows: it has an hour to be tried.</summary>
    [Fact]
    public async Task After_a_start_old_mail_has_a_chance_first()
    {
        await using var rig = Rig(OneAYear);
        await rig.AddAsync("first@slow.test");
        var id = await rig.AddAsync("b@slow.test");
        clock.Advance(TimeSpan.FromDays(6));
        rig.Scheduler.Start();

        await AdvanceAsync(rig, TimeSpan.FromMinutes(55));
        Assert.NotNull(rig.Spool.Find(id));
        Assert.Empty(Reports(rig));
        await AdvanceAsync(rig, TimeSpan.FromMinutes(10));
        await rig.Spool.GoneAsync(id);
    }

    [Fact]
    public async Task What_an_operator_holds_or_has_suspended_is_left_alone()
    {
        await using var rig = Rig(OneAYear);
        rig.Scheduler.Start();
        var ids = await FillAsync(rig, 2);
        Assert.Equal(QueueCommandOutcome.Done, await rig.Scheduler.HoldAsync(ids[0], TestContext.Current.CancellationToken));
        await rig.Scheduler.SuspendAsync([Postern.Smtp.Grammar.Domain.Parse("slow.test")], suspends: true);

        await AdvanceAsync(rig, TimeSpan.FromDays(6));
        Assert.All(ids, id => Assert.NotNull(rig.Spool.Find(id)));
        Assert.Empty(Reports(rig));
    }

    /// <summary>What a transaction under way comes to decides; the rest of the message ends with it.</summary>
    [Fact]
    public async Task A_message_that_is_being_sent_to_others_comes_to_that_end_first()
    {
        var (begun, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var rig = Rig(OneAYear, new FakeTransport(async (_, message) =>
        {
            if (message.Recipients[0].Domain.Text == "hang.test")
            {
                begun.SetResult();
                await answer.Task;
            }

            return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
        }));
        rig.Scheduler.Start();
        await FillAsync(rig, 0);
        var id = await rig.AddAsync(By(TimeSpan.FromMinutes(10), isNotify: false), "a@hang.test", "b@slow.test");
        await begun.Task.WaitAsync(TestContext.Current.CancellationToken);

        await AdvanceAsync(rig, TimeSpan.FromMinutes(15));
        Assert.NotNull(rig.Spool.Find(id));
        answer.SetResult();
        await UntilAsync(() => rig.Audit.Events.OfType<DeliveryEvent>().Any(static e => e is { Recipient: "a@hang.test", Outcome: DeliveryOutcome.Delivered }));
        await AdvanceAsync(rig, TimeSpan.FromMinutes(3));
        await rig.Spool.GoneAsync(id);
        Assert.Single(rig.Audit.Events.OfType<DeliveryEvent>(), static e => e is { Recipient: "b@slow.test", Outcome: DeliveryOutcome.Failed, Category: "expired" });
    }

    private static List<BounceEvent> Reports(DeliveryRig rig) => [.. rig.Audit.Events.OfType<BounceEvent>().Where(static b => b.BounceId is not null)];

    /// <summary>As much time as is wanted, in minutes or hours: each look plans the next.</summary>
    private async Task AdvanceAsync(DeliveryRig rig, TimeSpan by)
    {
        for (var rest = by; rest > TimeSpan.Zero;)
        {
            var step = rest > TimeSpan.FromHours(2) ? TimeSpan.FromHours(1) : Usual;
            rest -= step;
            await LookAsync(rig, step);
        }
    }

    /// <summary>
    /// So much time, in which there is a look, and no look is under way after it: the next is planned from now. When in the time this one
    /// was is not said.
    /// </summary>
    private async Task LookAsync(DeliveryRig rig, TimeSpan step)
    {
        var line = rig.Scheduler.Line;
        var looks = line.Looks;
        clock.Advance(step);
        await UntilAsync(() => line.Looks > looks && !line.IsLooking);
    }

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
