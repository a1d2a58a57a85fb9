using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>What operators do to waiting mail while it is delivered: returned, sent another way, to somebody else, or not for now.</summary>
public sealed class OperatorsWordTests
{
    private static readonly Operator Root = new("root");
    private static readonly DeliveryOptions ToFake = DeliveryRig.Options(new Route("*", "smtp://fake.test"));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_returned_is_reported_at_once_for_the_recipients_that_were_meant_and_the_others_go_on()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake, clock, transport: new FakeTransport(static (_, message) => Task.FromResult(new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Later)], Reached: true))));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("later@there.test", "later@elsewhere.test");
        await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);

        var change = await CommandsOf(rig).ApplyAsync(QueueAction.Bounce, new QueueFilter { To = "there.test" }, Root, Ct, "Given up, call us");

        Assert.Equal((1, 1), (change.Matched, change.Changed));
        var state = await rig.Spool.UpdatedAsync(id, static s => s.Recipients[0].Status == RecipientStatus.Failed && s.Return is null);
        Assert.Equal((RecipientStatus.Pending, "Given up, call us"), (state.Recipients[1].Status, state.Recipients[0].LastReply));
        var report = Assert.Single(rig.Spool.List(), static e => e.Envelope.ReportOf is not null);
        var text = rig.Spool.Text(report.Envelope.Id);
        Assert.Contains("Given up, call us", text, StringComparison.Ordinal);
        Assert.Contains("later@there.test", text, StringComparison.Ordinal);
        Assert.DoesNotContain("later@elsewhere.test", text, StringComparison.Ordinal);
        var told = Assert.Single(rig.Audit.Events.OfType<DeliveryEvent>(), static e => e.Outcome == DeliveryOutcome.Failed);
        Assert.Equal(("later@there.test", "returned"), (told.Recipient, told.Category));
        Assert.Contains(rig.Audit.Events.OfType<AdminEvent>(), e => e.Action == "queue bounce" && e.Target == id.ToString() && e.Ref == change.Ref);
    }

    [Fact]
    public async Task What_was_returned_while_no_server_ran_is_reported_at_its_start()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake, clock, transport: FakeTransport.ByLocalPart());
        var id = await rig.AddAsync("ok@there.test");
        var stopped = new QueueCommands(rig.Spool, new SpoolQueueControl(rig.Spool, clock), rig.Audit, clock);
        Assert.Equal(1, (await stopped.ApplyAsync(QueueAction.Bounce, QueueFilter.Everything, Root, Ct)).Changed);

        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(id);

        Assert.Contains(rig.Audit.Events.OfType<BounceEvent>(), b => b.QueueId == id.ToString() && b.BounceId is not null);
        Assert.DoesNotContain(rig.Audit.Events.OfType<DeliveryEvent>(), static e => e is { Recipient: "ok@there.test", Outcome: DeliveryOutcome.Delivered });
    }

    [Fact]
    public async Task Mail_for_a_suspended_domain_waits_and_stands_before_nobody_until_it_is_resumed()
    {
        var clock = new ManualClock();
        var transport = FakeTransport.ByLocalPart();
        await using var rig = new DeliveryRig(ToFake, clock, transport: transport);
        rig.Scheduler.Start();
        Assert.Equal(1, await rig.Scheduler.SuspendAsync([Domain.Parse("There.test")], suspends: true));
        Assert.Equal(0, await rig.Scheduler.SuspendAsync([Domain.Parse("there.test")], suspends: true));

        var (waits, both) = (await rig.AddAsync("ok@there.test"), await rig.AddAsync("ok@there.test", "ok@elsewhere.test"));
        var live = await rig.AddAsync("ok@elsewhere.test");
        await rig.Spool.GoneAsync(live);
        var state = await rig.Spool.UpdatedAsync(both, static s => s.Recipients[1].Status == RecipientStatus.Delivered);
        Assert.Equal(RecipientStatus.Pending, state.Recipients[0].Status);
        Assert.Equal("suspended", (await new QueueQueries(rig.Spool, suspensions: rig.Scheduler.Suspensions).FindAsync(waits, Ct))!.State);
        Assert.DoesNotContain(transport.Attempts, static a => a.Recipients.Contains("ok@there.test"));

        Assert.Equal(1, await rig.Scheduler.SuspendAsync([Domain.Parse("there.test")], suspends: false));
        await rig.Spool.GoneAsync(waits);
    }

    [Fact]
    public async Task A_message_that_is_suspended_can_be_returned()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake, clock, transport: FakeTransport.ByLocalPart());
        await rig.Scheduler.SuspendAsync([Domain.Parse("there.test")], suspends: true);
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ok@there.test");

        Assert.Equal(1, (await CommandsOf(rig).ApplyAsync(QueueAction.Bounce, QueueFilter.Everything, Root, Ct)).Changed);

        await rig.Spool.GoneAsync(id);
        Assert.Contains(rig.Audit.Events.OfType<BounceEvent>(), b => b.QueueId == id.ToString() && b.BounceId is not null);
    }

    [Fact]
    public async Task What_is_sent_another_way_goes_there_until_the_routes_decide_again()
    {
        var clock = new ManualClock();
        var transport = FakeTransport.ByLocalPart();
        await using var rig = new DeliveryRig(ToFake, clock, transport: transport);
        rig.Scheduler.Start();
        var id = await rig.AddAsync("later@there.test");
        await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);
        var commands = CommandsOf(rig);

        Assert.Null(QueueCommands.WhyNot(QueueAction.Reroute, "smtp://backup.test:2525"));
        Assert.NotNull(QueueCommands.WhyNot(QueueAction.Reroute, "nonsense"));
        Assert.Equal(1, (await commands.ApplyAsync(QueueAction.Reroute, QueueFilter.Everything, Root, Ct, "smtp://backup.test:2525")).Changed);
        await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 2);
        Assert.Equal("backup.test:2525", transport.Attempts[^1].Hop.Name);
        Assert.Equal(0, (await commands.ApplyAsync(QueueAction.Reroute, QueueFilter.Everything, Root, Ct, "smtp://backup.test:2525")).Changed);

        Assert.Equal(1, (await commands.ApplyAsync(QueueAction.Reroute, QueueFilter.Everything, Root, Ct)).Changed);
        await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 3);
        Assert.StartsWith("fake.test", transport.Attempts[^1].Hop.Name, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_redirected_goes_to_the_other_recipient_alone_and_says_for_whom_it_was()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake, clock, transport: FakeTransport.ByLocalPart());
        rig.Scheduler.Start();
        var id = await rig.AddAsync("later@there.test", "later@elsewhere.test");
        await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);

        Assert.Equal(1, (await CommandsOf(rig).ApplyAsync(QueueAction.Redirect, new QueueFilter { To = "later@there.test" }, Root, Ct, "later@new.test")).Changed);

        var copy = Assert.Single(rig.Spool.List(), static e => e.Envelope.Recipients[0].Address == "later@new.test");
        Assert.Equal(("a@here.test", "rfc822;later@there.test"), (copy.Envelope.Sender.Address, copy.Envelope.ParametersOf(0).OriginalRecipient!.ToString()));
        Assert.Equal(rig.Spool.Text(id), rig.Spool.Text(copy.Envelope.Id));
        var first = rig.Spool.Find(id)!.State;
        Assert.Equal((RecipientStatus.Delivered, RecipientStatus.Pending), (first.Recipients[0].Status, first.Recipients[1].Status));
        Assert.Contains("redirected to later@new.test", first.Recipients[0].LastReply, StringComparison.Ordinal);
    }

    /// <summary>The sender knows the address that it wrote, and no other.</summary>
    [Fact]
    public async Task A_report_on_what_was_redirected_names_the_address_that_the_sender_wrote()
    {
        var clock = new ManualClock();
        var reports = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var rig = new DeliveryRig(ToFake, clock, transport: new FakeTransport(async (_, message) =>
        {
            if (message.Sender.IsNull)
                reports.Enqueue(await TextOfAsync(message));
            return new DeliveryReport(
                [.. message.Recipients.Select(r => message.Sender.IsNull ? FakeTransport.Delivered : r.LocalPart == "never" ? FakeTransport.Never : FakeTransport.Later)], Reached: true);
        }));
        rig.Scheduler.Start();
        var id = await rig.AddAsync(
            static e => e with { Expanded = new Relay.Envelopes.Expansion(e.Id, [Mailbox.Parse("root@here.test")]) }, "later@there.test");
        var other = await rig.AddAsync("later@there.test");
        await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);
        await rig.Spool.UpdatedAsync(other, static s => s.Attempts == 1);

        Assert.Equal(2, (await CommandsOf(rig).ApplyAsync(QueueAction.Redirect, QueueFilter.Everything, Root, Ct, "never@new.test")).Changed);
        while (reports.Count < 2)
            await Task.Yield();

        Assert.All(reports, static text => Assert.Contains(
            "Original-Recipient: rfc822; later@there.test\r\nFinal-Recipient: rfc822; never@new.test\r\nAction: failed\r\n", text, StringComparison.Ordinal));
        Assert.Single(reports, static text => text.Contains("    to which mail for <later@there.test> goes on\r\n", StringComparison.Ordinal));
        Assert.Single(reports, static text => text.Contains("    to which mail for <root@here.test> goes on\r\n", StringComparison.Ordinal));
    }

    private static async Task<string> TextOfAsync(Postern.Smtp.Client.OutgoingMessage message)
    {
        var octets = new byte[message.Content.Length];
        for (var at = 0; at < octets.Length;)
            at += await message.Content.ReadAsync(at, octets.AsMemory(at), Ct);
        return System.Text.Encoding.UTF8.GetString(octets);
    }

    [Fact]
    public void What_is_suspended_is_kept_in_a_file()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("pst").FullName, "suspended");
        var kept = Suspensions.Open(file);
        Assert.Equal(2, kept.Change([Domain.Parse("b.test"), Domain.Parse("a.test")], suspends: true));
        Assert.Equal(["a.test", "b.test"], Suspensions.Open(file).All);
        Assert.Equal(1, kept.Change([Domain.Parse("a.test"), Domain.Parse("c.test")], suspends: false));
        Assert.Equal(["b.test"], Suspensions.Open(file).All);
        File.WriteAllText(file, "a b\n");
        Assert.Contains("'a b' is not a domain", Assert.Throws<IOException>(() => Suspensions.Open(file)).Message, StringComparison.Ordinal);
    }

    private static QueueCommands CommandsOf(DeliveryRig rig) => new(rig.Spool, new SchedulerQueueControl(rig.Scheduler, rig.Spool), rig.Audit, rig.Clock);
}
