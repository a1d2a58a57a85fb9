using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Scheduling;
using Postern.Relay.Envelopes;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Mail that was tried until its time was over has failed: the log says so, once, whoever is told; and until then its delay has a status of its own.</summary>
public sealed class EndOfTimeTests
{
    // Reports hang, and have a hop of their own: behind them a message would wait for the second in which it gets another connection.
    private static readonly DeliveryOptions ToFake = DeliveryRig.Options(new Route("*", "smtp://fake.test"), new Route("here.test", "smtp://reports.test")) with
    {
        Retry = RetrySchedule.Default with { GiveUp = TimeSpan.FromMinutes(20), Warn = TimeSpan.FromMinutes(1) },
    };

    private readonly ManualClock clock = new();

    private DeliveryRig Rig(Outcome answer) => new(ToFake, clock, transport: new FakeTransport(async (_, message) =>
    {
        if (message.Sender.IsNull)
            await Task.Delay(Timeout.Infinite);
        return new DeliveryReport([answer], Reached: true);
    }));

    private static Outcome.Deferred Deferred(DeliveryCause cause, DeliveryPhase phase, string? status = null) =>
        new("fake", "nothing came of it", Tls: null, status) { Cause = cause, Phase = phase };

    [Theory]
    [InlineData(DsnNotify.Unspecified, true)]
    [InlineData(DsnNotify.Never, false)]
    public async Task The_last_attempt_is_told_of_as_a_failure(DsnNotify notify, bool isReported)
    {
        await using var rig = Rig(Deferred(DeliveryCause.Unreachable, DeliveryPhase.Connect));
        rig.Scheduler.Start();
        var id = await rig.AddAsync(e => e with { Said = e.Said with { RecipientParameters = [new() { Notify = notify }] } }, "a@there.test");
        for (var attempts = 1; rig.Spool.Find(id) is not null; attempts++)
        {
            await UntilAsync(() => rig.Spool.Find(id) is not { } entry || (entry.State.Attempts >= attempts && rig.Scheduler.Statistics().Waiting > 0));
            if (rig.Spool.Find(id) is { State.NextAttempt: var next })
                clock.Advance(next - clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        }

        var told = rig.Audit.Events.OfType<DeliveryEvent>().ToList();
        var failed = Assert.Single(told, static e => e.Outcome == DeliveryOutcome.Failed);
        Assert.Equal(("5.4.7", "unreachable", "nothing came of it"), (failed.Status, failed.Category, failed.Reply));
        Assert.Same(failed, told[^1]);
        Assert.All(told[..^1], static e => Assert.True(e is { Outcome: DeliveryOutcome.Deferred, NextAttempt: not null }));
        Assert.Equal(isReported, rig.Audit.Events.OfType<BounceEvent>().Any(static b => b.BounceId is not null && b.Reason.Contains("failed", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_its_sender_gave_no_more_time_has_expired()
    {
        var plain = Samples.Envelope();
        var envelope = plain with { Said = plain.Said with { Parameters = plain.Parameters with { DeliverBy = new DeliverBy(TimeSpan.FromMinutes(1), IsNotify: false, IsTrace: false) } } };
        var last = Deferred(DeliveryCause.Unreachable, DeliveryPhase.Connect);
        Assert.Equal("expired", DeliveryEvents.CategoryOf(AttemptResult.GivenUp(envelope, last, envelope.ArrivedAt.AddMinutes(1))));
        Assert.Equal("unreachable", DeliveryEvents.CategoryOf(AttemptResult.GivenUp(envelope, last, envelope.ArrivedAt)));
    }

    /// <summary>That a mailbox is full is what its sender is to read, and the category is found by the status that was heard.</summary>
    [Fact]
    public void What_was_refused_until_the_end_has_the_category_of_the_last_refusal()
    {
        var envelope = Samples.Envelope();
        var last = new Outcome.Deferred("fake", "452 4.2.2 Mailbox full", Tls: null, "4.2.2") { Cause = DeliveryCause.Refused, Code = 452, IsVerbatim = true };
        Assert.Equal("mailbox_full", DeliveryEvents.CategoryOf(last));
        Assert.Equal("mailbox_full", DeliveryEvents.CategoryOf(AttemptResult.GivenUp(envelope, last, envelope.ArrivedAt)));
    }

    /// <summary>RFC 3463 §3.4 to §3.8.</summary>
    [Theory]
    [InlineData(DeliveryCause.Unreachable, DeliveryPhase.Connect, null, "4.4.1")]
    [InlineData(DeliveryCause.Unreachable, DeliveryPhase.Dns, null, "4.4.3")]
    [InlineData(DeliveryCause.Broken, DeliveryPhase.Data, null, "4.4.2")]
    [InlineData(DeliveryCause.NoTls, DeliveryPhase.Tls, null, "4.7.0")]
    [InlineData(DeliveryCause.LoginFailed, DeliveryPhase.Login, null, "4.7.0")]
    [InlineData(DeliveryCause.OwnSurroundings, DeliveryPhase.End, "4.2.2", "4.2.2")]
    [InlineData(DeliveryCause.Refused, DeliveryPhase.Rcpt, "4.7.1", "4.7.1")]
    [InlineData(DeliveryCause.Refused, DeliveryPhase.Rcpt, null, "4.0.0")]
    public async Task A_delay_has_the_status_that_was_heard_or_that_of_its_cause(DeliveryCause cause, DeliveryPhase phase, string? heard, string status)
    {
        await using var rig = Rig(Deferred(cause, phase, heard));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("a@there.test");
        await UntilAsync(() => rig.Spool.Find(id) is { State.Attempts: 1 } && rig.Scheduler.Statistics().Active == 0);
        clock.Advance(TimeSpan.FromMinutes(3));
        Assert.True(QueueId.TryParse((await rig.Audit.NextAsync<BounceEvent>()).BounceId, out var report));
        var text = rig.Spool.Text(report);
        Assert.Contains($"\r\nAction: delayed\r\nStatus: {status}\r\n", text, StringComparison.Ordinal);
        // Nothing of it was said by a server.
        Assert.Contains("\r\n    Reason:\r\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("server answered", text, StringComparison.Ordinal);
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
