using System.Globalization;
using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Two things at once, each of which works by itself.</summary>
public sealed class CombinationsTests
{
    private static readonly Operator Root = new("root");
    private static readonly DeliveryOptions ToFake = DeliveryRig.Options(new Route("*", "smtp://fake.test"));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static QueueCommands CommandsOf(DeliveryRig rig) => new(rig.Spool, new SchedulerQueueControl(rig.Scheduler, rig.Spool), rig.Audit, rig.Clock);

    private static async Task WaitUntilWaitingAsync(DeliveryRig rig)
    {
        while (rig.Scheduler.Statistics() is { Active: > 0 })
            await Task.Yield();
    }

    /// <summary>The reports of one tenant must not decide for all others whom they reach.</summary>
    [Fact]
    public async Task A_report_that_nobody_takes_puts_its_recipient_on_no_suppression_list()
    {
        var heard = new List<HardBounce>();
        var transport = new FakeTransport(static (_, message) => Task.FromResult(new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Never)], Reached: true)));
        await using var rig = new DeliveryRig(ToFake with { SuppressFor = TimeSpan.FromDays(1) }, transport: transport);
        rig.Scheduler.OnHardBounce = heard.Add;
        rig.Scheduler.Start();

        var id = await rig.AddAsync(static e => e with { Tenant = "acme", Login = "a" }, "never@there.test");
        await rig.Spool.GoneAsync(id);
        BounceEvent told;
        do
            told = await rig.Audit.NextAsync<BounceEvent>();
        while (told.Suppressed is null);

        Assert.Equal([("acme", "never@there.test")], heard.Select(static h => (h.Tenant, h.Recipient.Address)));
        Assert.Contains(transport.Attempts, static a => a.Recipients.SequenceEqual(["a@here.test"]));
    }

    [Fact]
    public async Task What_waits_for_a_suspended_domain_goes_where_an_operator_sends_it()
    {
        var transport = FakeTransport.ByLocalPart();
        await using var rig = new DeliveryRig(ToFake, new ManualClock(), transport: transport);
        await rig.Scheduler.SuspendAsync([Domain.Parse("there.test")], suspends: true);
        rig.Scheduler.Start();
        var alone = await rig.AddAsync("ok@there.test");
        var both = await rig.AddAsync("ok@there.test", "later@elsewhere.test");
        await rig.Spool.UpdatedAsync(both, static s => s.Attempts == 1);

        Assert.Equal(2, (await CommandsOf(rig).ApplyAsync(QueueAction.Reroute, new QueueFilter { To = "there.test" }, Root, Ct, "smtp://backup.test:2525")).Changed);

        await rig.Spool.GoneAsync(alone);
        await rig.Spool.UpdatedAsync(both, static s => s.Recipients[0].Status == RecipientStatus.Delivered);
        Assert.Equal(2, transport.Attempts.Count(static a => a.Hop.Name == "backup.test:2525" && a.Recipients.Contains("ok@there.test")));
        Assert.DoesNotContain(transport.Attempts, static a => a.Hop.Name != "backup.test:2525" && a.Recipients.Contains("ok@there.test"));
    }

    [Fact]
    public async Task Urgent_mail_that_was_held_overtakes_what_came_meanwhile_once_it_is_released()
    {
        var gate = new TaskCompletionSource();
        var begun = new TaskCompletionSource();
        var order = new List<string>();
        var transport = new FakeTransport(async (_, message) =>
        {
            lock (order)
                order.Add(message.Recipients[0].LocalPart);
            begun.TrySetResult();
            await gate.Task;
            return new DeliveryReport([FakeTransport.Delivered], Reached: true);
        });
        await using var rig = new DeliveryRig(ToFake, new ManualClock(), transport: transport);
        rig.Scheduler.Start();
        var first = await rig.AddAsync("ok0@there.test");
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(20), Ct);
        var urgent = await rig.AddAsync(static e => e with { Said = e.Said with { Parameters = new MailParameters { Others = ParameterValues.None.With("MT-PRIORITY", "9") } }, Login = "a" }, "urgent@there.test");
        Assert.Equal(1, (await CommandsOf(rig).ApplyAsync(QueueAction.Hold, new QueueFilter { To = "urgent@there.test" }, Root, Ct)).Changed);
        var others = new List<QueueId>();
        for (var i = 1; i <= 6; i++)
            others.Add(await rig.AddAsync($"ok{i.ToString(CultureInfo.InvariantCulture)}@there.test"));
        await CommandsOf(rig).ApplyAsync(QueueAction.Release, new QueueFilter { To = "urgent@there.test" }, Root, Ct);
        gate.SetResult();

        foreach (var id in (QueueId[])[first, urgent, .. others])
            await rig.Spool.GoneAsync(id);
        Assert.True(order.IndexOf("urgent") <= 2, string.Join(' ', order));
    }

    /// <summary>RFC 2852 §4: what cannot be there by then is returned then, and greylisting makes it no later.</summary>
    [Fact]
    public async Task A_deadline_ends_the_waits_of_greylisting()
    {
        var clock = new ManualClock();
        var greylisted = new Outcome.Deferred("fake", "450 4.7.1 Greylisted", Tls: null, "4.7.1") { Cause = DeliveryCause.Refused, Phase = DeliveryPhase.Rcpt, Code = 450, IsVerbatim = true };
        await using var rig = new DeliveryRig(ToFake, clock, transport: new FakeTransport((_, message) => Task.FromResult(new DeliveryReport([.. message.Recipients.Select(_ => message.Sender.IsNull ? FakeTransport.Delivered : greylisted)], Reached: true))));
        rig.Scheduler.Start();
        var arrived = clock.GetUtcNow();
        var id = await rig.AddAsync(static e => e with { Said = e.Said with { Parameters = new MailParameters { DeliverBy = new DeliverBy(TimeSpan.FromSeconds(100), IsNotify: false, IsTrace: false) } } }, "b@there.test");

        var state = await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);
        await WaitUntilWaitingAsync(rig);
        clock.Advance(state.NextAttempt - clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        state = await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 2);
        Assert.Equal(arrived + TimeSpan.FromSeconds(100), state.NextAttempt);
        await WaitUntilWaitingAsync(rig);
        clock.Advance(state.NextAttempt - clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        await rig.Spool.GoneAsync(id);

        var failed = Assert.Single(rig.Audit.Events.OfType<DeliveryEvent>(), e => e.QueueId == id.ToString() && e.Outcome == DeliveryOutcome.Failed);
        Assert.Equal(("expired", "5.4.7"), (failed.Category, failed.Status));
    }

    [Theory]
    [InlineData("smtp+mx")]
    [InlineData("smtp+srv")]
    public async Task Servers_that_dns_names_anew_while_mail_waits_get_it(string scheme)
    {
        var clock = new ManualClock();
        var hasMoved = false;
        await using var sink = new ScriptedSink();
        // Nobody listens at the old one.
        await using var dns = new ScriptedDns((name, type) => (type, Volatile.Read(ref hasMoved) ? "new.isp.test" : "old.isp.test") switch
        {
            (DnsType.Mx, var host) => ScriptedDns.Mx((10, host)),
            (DnsType.Srv, var host) => new DnsReply(0, [("", DnsType.Srv, [0, 1, 0, 1, (byte)(sink.Port >> 8), (byte)sink.Port, .. ScriptedDns.Name(host)])]),
            (DnsType.A, _) => ScriptedDns.A(name == "new.isp.test" ? "127.0.0.1" : "127.0.0.3"),
            _ => ScriptedDns.Nothing,
        });
        var options = DeliveryRig.Options(new Route("*", scheme == "smtp+mx" ? $"smtp+mx://isp.test:{sink.Port}" : "smtp+srv://isp.test?tls=none")) with { Resolvers = [dns.EndPoint], ResolverTimeout = TimeSpan.FromSeconds(20) };
        await using var rig = new DeliveryRig(options, clock, transport: new SmtpDelivery(options, clock));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("b@there.test");
        await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);

        Volatile.Write(ref hasMoved, true);
        // In small steps, and none while it asks or connects: the time for that would be over at once.
        var gone = rig.Spool.GoneAsync(id);
        while (!gone.IsCompleted)
        {
            if (rig.Scheduler.Statistics() is { Active: 0, Waiting: > 0 })
                clock.Advance(TimeSpan.FromSeconds(10));
            await Task.Yield();
        }

        await gone;

        Assert.StartsWith("new.isp.test", rig.Audit.Events.OfType<DeliveryEvent>().Last(e => e.QueueId == id.ToString()).Remote, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_thousand_mailboxes_some_of_them_full_have_one_copy_each_in_the_end()
    {
        var clock = new ManualClock();
        var isFull = true;
        var taken = new System.Collections.Concurrent.ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, _) => phase == SinkPhase.EndOfData && Volatile.Read(ref isFull) && line.Contains("<full", StringComparison.Ordinal) ? new SinkAction.Reply("452 4.2.2 Quota exceeded") : null,
            Taken = message => taken.AddOrUpdate(message.Recipients[0], 1, static (_, copies) => copies + 1),
        });
        await using var rig = new DeliveryRig(DeliveryRig.Options(new Route("*", $"lmtp://127.0.0.1:{sink.Port}")), clock);
        rig.Scheduler.Start();
        string[] recipients = [.. Enumerable.Range(0, 2000).Select(static i => $"{(i % 3 == 0 ? "full" : "user")}{i.ToString(CultureInfo.InvariantCulture)}@there.test")];
        var id = await rig.AddAsync(recipients);
        var state = await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);

        Assert.Equal((667, 1333), (state.Recipients.Count(static r => r.Status == RecipientStatus.Pending), taken.Count));
        Assert.True(state.NextAttempt - clock.GetUtcNow() >= TimeSpan.FromMinutes(54), "a mailbox that is full is tried again late");
        Volatile.Write(ref isFull, false);
        await WaitUntilWaitingAsync(rig);
        clock.Advance(state.NextAttempt - clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        await rig.Spool.GoneAsync(id);

        Assert.Equal(recipients.Order(StringComparer.Ordinal), taken.Keys.Order(StringComparer.Ordinal));
        Assert.All(taken, static one => Assert.Equal(1, one.Value));
    }

    [Theory]
    [InlineData(BodyType.EightBitMime, false, "MAIL FROM:<a@here.test>")]
    [InlineData(BodyType.SevenBit, true, "MAIL FROM:<a@here.test>")]
    [InlineData(BodyType.EightBitMime, true, "MAIL FROM:<a@here.test>")]
    public async Task What_was_announced_and_is_not_needed_goes_to_a_hop_that_does_not_know_of_it(BodyType body, bool isUtf8, string mail)
    {
        await using var sink = new ScriptedSink(new SinkOptions { Extensions = ["PIPELINING"] });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)));
        rig.Scheduler.Start();
        await rig.AddAsync(e => e with { Said = e.Said with { Parameters = new MailParameters { Body = body, IsUtf8 = isUtf8 } } }, "b@there.test");

        Assert.Equal(mail, (await sink.NextMessageAsync()).MailLine);
        Assert.Equal(DeliveryOutcome.Delivered, (await rig.Audit.NextAsync<DeliveryEvent>()).Outcome);
    }

    [Theory]
    [InlineData("b\u00fccher@there.test", false)]
    [InlineData("b@there.test", true)]
    public async Task What_is_internationalized_is_returned_by_a_hop_that_cannot_have_it(string recipient, bool hasUtf8Header)
    {
        await using var sink = new ScriptedSink(new SinkOptions { Extensions = ["PIPELINING", "8BITMIME"] });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("there.test", sink.Port)));
        rig.Scheduler.Start();
        await rig.AddAsync(e => e with { Said = e.Said with { Parameters = new MailParameters { IsUtf8 = true } }, HasUtf8Header = hasUtf8Header }, recipient);

        Assert.Equal((DeliveryOutcome.Failed, "5.6.7"), await rig.Audit.NextAsync<DeliveryEvent>() is var d ? (d.Outcome, d.Status) : default);
        Assert.Empty(sink.Messages);
    }
}
