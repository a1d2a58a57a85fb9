using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Audit;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>The process is killed when a report is stored, before anything else is: its sender hears of it once, and the log has all of it.</summary>
public sealed class KilledAtReportTests : IDisposable
{
    private static readonly DeliveryOptions ToFake = DeliveryRig.Options(new Route("*", "smtp://fake.test"));

    private readonly AuditDirectory directory = new();
    private readonly ManualClock clock = new(AuditDirectory.Noon);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(new[] { "never@there.test" }, true)]
    [InlineData(new[] { "never@there.test", "later@there.test" }, false)]
    public async Task One_report_is_sent_and_its_events_are_told(string[] recipients, bool isOver)
    {
        var (spool, told) = await KilledAsync(recipients);

        await using (var log = Open())
            await EventRecovery.RunAsync(spool.Left, directory.Path, log, clock, Ct);

        var events = await directory.FindAsync();
        var bounce = Assert.Single(events.OfType<BounceEvent>());
        Assert.Equal(told.OfType<BounceEvent>().Select(static e => (e.Id, e.Reason, e.To)), [(bounce.Id, bounce.Reason, bounce.To)]);
        Assert.Equal(told.OfType<DeliveryEvent>().Select(static e => e.Id).Order(), events.OfType<DeliveryEvent>().Select(static e => e.Id).Order());
        Assert.Equal(isOver ? 1 : 2, spool.Left.Count);

        var (again, reports) = await DeliverAsync(spool, AfterwardsAsync);
        Assert.Equal(1, reports);
        Assert.Empty(again.OfType<BounceEvent>());
        Assert.DoesNotContain(again.OfType<DeliveryEvent>(), static e => e.Recipient == "never@there.test");

        async Task AfterwardsAsync(DeliveryScheduler scheduler)
        {
            await UntilAsync(() => spool.Left.List().All(static e => e.Envelope.ReportOf is null));
            clock.Advance(TimeSpan.FromHours(1));
            await UntilAsync(() => spool.Left.Count == 0);
        }
    }

    /// <summary>Nobody looks before the next scheduler does, as where another server takes over the claims.</summary>
    [Fact]
    public async Task Who_takes_over_a_message_of_which_nothing_is_left_ends_it()
    {
        var (spool, _) = await KilledAsync(["never@there.test"]);
        clock.Advance(TimeSpan.FromHours(1));
        var (events, reports) = await DeliverAsync(spool, _ => UntilAsync(() => spool.Left.Count == 0));
        Assert.Equal(1, reports);
        Assert.DoesNotContain(events, static e => e is DeliveryEvent { Outcome: DeliveryOutcome.Failed } or BounceEvent);
    }

    /// <summary>What the log was told before it was killed is lost with it.</summary>
    private async Task<(FakeSpool Spool, IReadOnlyList<AuditEvent> Told)> KilledAsync(string[] recipients)
    {
        var spool = new FakeSpool(clock) { DiesWithReport = true };
        var rig = new DeliveryRig(ToFake, clock, spool, Transport());
        rig.Scheduler.Start();
        await rig.AddAsync(recipients);
        await rig.Audit.NextAsync<BounceEvent>();
        return (spool, rig.Audit.Events);
    }

    private async Task<(IReadOnlyList<AuditEvent> Events, int Reports)> DeliverAsync(FakeSpool spool, Func<DeliveryScheduler, Task> until)
    {
        var audit = new RecordingAudit();
        var reports = 0;
        var transport = Transport(() => Interlocked.Increment(ref reports));
        await using var scheduler = new DeliveryScheduler(spool.Left, transport, ToFake, audit, clock);
        scheduler.Start();
        await until(scheduler);
        return (audit.Events, reports);
    }

    /// <summary>Takes reports and what comes later again; fails what never will.</summary>
    private static FakeTransport Transport(Action? onReport = null) => new((_, message) =>
    {
        if (message.Sender.IsNull)
            onReport?.Invoke();
        return Task.FromResult(new DeliveryReport([.. message.Recipients.Select(r => (r.Address, message.Sender.IsNull || onReport is not null) switch
        {
            ("never@there.test", _) => FakeTransport.Never,
            (_, true) => FakeTransport.Delivered,
            _ => FakeTransport.Later,
        })], Reached: true));
    });

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!isSo())
        {
            Assert.False(patience.IsCancellationRequested, "it does not come to it");
            await Task.Yield();
        }
    }

    private JsonLinesAuditLog Open() => new(new AuditLogOptions { Directory = directory.Path, KeepDays = 100_000 }, clock);
}
