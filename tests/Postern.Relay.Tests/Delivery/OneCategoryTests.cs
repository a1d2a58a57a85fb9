using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Bounces;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Audit;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>One answer has one category and one status, wherever it is shown: the log, the queue, the report, and what is told again after a crash.</summary>
public sealed class OneCategoryTests : IDisposable
{
    private readonly AuditDirectory directory = new();
    private readonly ManualClock clock = new(AuditDirectory.Noon);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("550 5.1.1 Never heard of", "no_such_user")]
    [InlineData("550 4.1.1 Never heard of", "refused")]
    [InlineData("550 4.1.1 User unknown", "no_such_user")]
    [InlineData("550 4.7.1 Never heard of", "refused")]
    [InlineData("554 5.7.1 Spam message rejected", "spam")]
    [InlineData("552 2.2.2 Never heard of", "refused")]
    public async Task A_refusal_is_called_the_same_in_the_log_the_queue_and_the_report(string reply, string category)
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, _) => phase != SinkPhase.Rcpt ? null
                : new SinkAction.Reply(line.Contains("never@", StringComparison.Ordinal) ? reply : "450 4.2.0 Later"),
        });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("never@there.test", "later@there.test");
        await rig.Spool.UpdatedAsync(id, static state => state.Attempts == 1);

        var failed = rig.Audit.Events.OfType<DeliveryEvent>().Single(static e => e is { Recipient: "never@there.test", Outcome: DeliveryOutcome.Failed });
        var shown = (await new QueueQueries(rig.Spool).FindAsync(id, Ct))!;
        Assert.Equal((category, category, "failed"), (failed.Category, shown.Recipients[0].Category, shown.Recipients[0].Status));
        var deferred = rig.Audit.Events.OfType<DeliveryEvent>().Single(static e => e.Recipient == "later@there.test");
        Assert.Equal((deferred.Category, "pending"), (shown.Recipients[1].Category, shown.Recipients[1].Status));
        var report = rig.Spool.Left.List().Single(static e => e.Envelope.ReportOf is not null).Envelope.Id;
        var text = rig.Spool.Text(report).Replace("\r\n    ", " ", StringComparison.Ordinal);
        Assert.Contains($"Status: {failed.Status}\r\n", text, StringComparison.Ordinal);
        Assert.Contains(BounceCategory.Find(category)!.Sentence.Split('{', '.')[0], text, StringComparison.Ordinal);
    }

    /// <summary>The process ends when the report is stored and the message is not out of the spool yet; the log loses what it was told.</summary>
    [Theory]
    [InlineData(null, null, "unreachable", "5.4.7")]
    [InlineData(452, "4.2.2", "mailbox_full", "4.2.2")]
    public async Task Mail_whose_time_was_over_at_a_crash_is_told_of_again_with_its_status_and_category(int? code, string? status, string category, string told)
    {
        var (spool, lost) = await KilledAsync(code, status);

        await RecoverAsync(spool);

        var again = Assert.Single((await directory.FindAsync()).OfType<DeliveryEvent>(), static e => e.Outcome == DeliveryOutcome.Failed);
        Assert.Equal((told, category, code), (again.Status, again.Category, again.Code));
        Assert.Equal((lost.Id, lost.Status, lost.Category, lost.Code, lost.Reply), (again.Id, again.Status, again.Category, again.Code, again.Reply));
    }

    [Fact]
    public async Task Mail_whose_time_was_over_at_a_crash_is_told_of_once_where_the_log_has_it()
    {
        var (spool, lost) = await KilledAsync(code: null, status: null);
        await directory.WriteAsync(lost);

        await RecoverAsync(spool);

        Assert.Single((await directory.FindAsync()).OfType<DeliveryEvent>(), static e => e.Outcome == DeliveryOutcome.Failed);
    }

    [Fact]
    public async Task What_is_put_off_is_told_of_again_with_its_status_and_category()
    {
        var spool = new FakeSpool(clock);
        DeliveryEvent lost;
        await using (var rig = new DeliveryRig(DeliveryRig.Options(new Route("*", "smtp://fake.test")), clock, spool, FakeTransport.ByLocalPart()))
        {
            rig.Scheduler.Start();
            var id = await rig.AddAsync("later@there.test");
            await rig.Spool.UpdatedAsync(id, static state => state.Attempts == 1);
            lost = rig.Audit.Events.OfType<DeliveryEvent>().Single();
        }

        await RecoverAsync(spool);

        var again = Assert.Single((await directory.FindAsync()).OfType<DeliveryEvent>());
        Assert.Equal((lost.Id, "4.2.0", 450, lost.Category), (again.Id, again.Status, again.Code, again.Category));
        Assert.NotNull(again.Category);
    }

    private async Task<(FakeSpool Spool, DeliveryEvent Lost)> KilledAsync(int? code, string? status)
    {
        var options = DeliveryRig.Options(new Route("*", "smtp://fake.test")) with
        {
            Retry = RetrySchedule.Default with { GiveUp = TimeSpan.FromMinutes(20) },
        };
        var last = new Outcome.Deferred("fake", code is null ? "connect: nobody" : $"{code} {status} Full", Tls: null, status)
        {
            Cause = code is null ? DeliveryCause.Unreachable : DeliveryCause.Refused,
            Code = code,
            IsVerbatim = code is not null,
        };
        var spool = new FakeSpool(clock) { DiesWithReport = true };
        var rig = new DeliveryRig(options, clock, spool, new FakeTransport((_, _) => Task.FromResult(new DeliveryReport([last], Reached: true))));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("a@there.test");
        for (var attempts = 1; !rig.Audit.Events.OfType<BounceEvent>().Any(); attempts++)
        {
            await UntilAsync(() => rig.Audit.Events.OfType<BounceEvent>().Any()
                || (spool.Left.Find(id) is { } entry && entry.State.Attempts >= attempts && rig.Scheduler.Statistics().Waiting > 0));
            if (spool.Left.Find(id) is { State: { IsFinished: false, NextAttempt: var next } } && next > clock.GetUtcNow())
                clock.Advance(next - clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        }

        Assert.True(spool.Left.Find(id)?.State is { IsFinished: true, HasEnded: false });
        return (spool, rig.Audit.Events.OfType<DeliveryEvent>().Single(static e => e.Outcome == DeliveryOutcome.Failed));
    }

    private async Task RecoverAsync(FakeSpool spool)
    {
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path, KeepDays = 100_000 }, clock);
        await EventRecovery.RunAsync(spool.Left, directory.Path, log, clock, Ct);
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
