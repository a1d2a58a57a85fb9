using System.Collections.Concurrent;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Relay.Tests.Audit;
using Postern.Smtp.Client;
using Postern.Smtp.Message;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery.Aliases;

/// <summary>Mail for names that stand for others goes to those: once each, whatever happens in between, and the sender hears what it asked for.</summary>
public sealed class ExpansionTests : IDisposable
{
    private readonly AliasRig files = new();
    private readonly ManualClock clock = new(AuditDirectory.Noon);
    private readonly ConcurrentQueue<(string From, string[] To, OutgoingMessage Message)> sent = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task An_alias_keeps_the_sender_and_everybody_gets_the_message_once()
    {
        await using var rig = Rig("root: lisa@x.test, bart@y.test, plain@z.test");
        rig.Scheduler.Start();
        var id = await rig.AddAsync("root@here.test", "plain@z.test");
        await rig.Spool.GoneAsync(id);
        await UntilAsync(() => rig.Spool.Count == 0);

        Assert.Equal(
            [("a@here.test", "bart@y.test"), ("a@here.test", "lisa@x.test"), ("a@here.test", "plain@z.test")],
            sent.SelectMany(static s => s.To.Select(to => (s.From, to))).OrderBy(static s => s.to, StringComparer.Ordinal));
        var expanded = Assert.Single(rig.Audit.Events.OfType<ExpandedEvent>());
        Assert.Equal((id.ToString(), 2, null), (expanded.QueueId, expanded.Targets, expanded.Owner));
        Assert.Equal(["root@here.test"], expanded.Recipients);
        var accepted = Assert.Single(rig.Audit.Events.OfType<AcceptedEvent>());
        Assert.Equal((expanded.Into, id.ToString(), MessageSource.Internal), (accepted.QueueId, accepted.ExpandedFrom, accepted.Source));
        Assert.DoesNotContain(rig.Audit.Events.OfType<DeliveryEvent>(), static e => e.Recipient == "root@here.test");
    }

    [Fact]
    public async Task What_goes_on_says_by_its_trace_where_it_has_been()
    {
        var content = new ConcurrentQueue<string>();
        await using var keeping = Rig("root: lisa@x.test\nstaff: root, b@x.test", async message => content.Enqueue(await TextOfAsync(message)));
        keeping.Scheduler.Start();
        await keeping.AddAsync("root@here.test");
        await UntilAsync(() => content.Count == 1);
        var expanded = await keeping.Audit.NextAsync<ExpandedEvent>();
        Assert.StartsWith(
            $"Delivered-To: root@here.test\r\nReceived: by relay.test id {expanded.Into} for <root@here.test>; {ReceivedField.Date(clock.GetUtcNow())}\r\n",
            content.Single().Replace("\r\n\t", " ", StringComparison.Ordinal),
            StringComparison.Ordinal);
        Assert.EndsWith(DeliveryRig.Content, content.Single(), StringComparison.Ordinal);

        content.Clear();
        await keeping.AddAsync("root@here.test", "staff@here.test");
        await UntilAsync(() => !content.IsEmpty);
        // Two names were in the envelope: neither learns of the other.
        Assert.DoesNotContain("root@", content.First(), StringComparison.Ordinal);
        Assert.DoesNotContain("staff@", content.First(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_has_its_owner_as_sender_and_nothing_of_what_the_sender_asked_for()
    {
        await using var rig = Rig("staff: lisa@x.test, bart@x.test\nowner-staff: boss@x.test");
        rig.Scheduler.Start();
        var id = await rig.AddAsync(Asking(DsnNotify.Success | DsnNotify.Failure, envid: "QQ1"), "staff@here.test");
        await rig.Spool.GoneAsync(id);
        await UntilAsync(() => sent.Count == 2 && rig.Spool.Count == 0);

        var (_, to, message) = Assert.Single(sent, static s => s.From == "owner-staff@here.test");
        Assert.Equal(["lisa@x.test", "bart@x.test"], to);
        Assert.Null(message.Parameters.EnvelopeId);
        Assert.All(to.Select((_, i) => message.Envelope.ParametersOf(i)), static said => Assert.Equal(RecipientParameters.None, said));
        Assert.Contains("delivered", Assert.Single(rig.Audit.Events.OfType<BounceEvent>()).Reason, StringComparison.Ordinal);
        Assert.Contains(sent, static s => s.From.Length == 0 && s.To is ["a@here.test"]);
        Assert.Equal("owner-staff@here.test", Assert.Single(rig.Audit.Events.OfType<ExpandedEvent>()).Owner);
    }

    [Theory]
    [InlineData("root: lisa@x.test", DsnNotify.Success, DsnNotify.Success, 0)]
    [InlineData("root: lisa@x.test, bart@x.test", DsnNotify.Success | DsnNotify.Failure, DsnNotify.Failure, 1)]
    [InlineData("root: lisa@x.test, bart@x.test", DsnNotify.Success, DsnNotify.Never, 1)]
    [InlineData("root: lisa@x.test, bart@x.test", DsnNotify.Failure, DsnNotify.Failure, 0)]
    public async Task What_the_sender_asked_for_goes_on_with_an_alias_but_of_success_behind_many_it_is_told_once(
        string file, DsnNotify asked, DsnNotify goesOn, int reports)
    {
        await using var rig = Rig(file, takesDsn: true);
        rig.Scheduler.Start();
        var id = await rig.AddAsync(Asking(asked, envid: "QQ1"), "root@here.test");
        await rig.Spool.GoneAsync(id);
        await UntilAsync(() => rig.Spool.Count == 0);

        var (_, to, message) = Assert.Single(sent, static s => s.From.Length > 0);
        Assert.Equal("QQ1", message.Parameters.EnvelopeId);
        Assert.All(Enumerable.Range(0, to.Length).Select(message.Envelope.ParametersOf), said =>
        {
            Assert.Equal(goesOn, said.Notify);
            Assert.Equal("rfc822;root@here.test", said.OriginalRecipient!.ToString());
        });
        Assert.Equal(reports, rig.Audit.Events.OfType<BounceEvent>().Count(static e => e.Reason.Contains("expanded", StringComparison.Ordinal)));
        Assert.Equal(reports, sent.Count(static s => s.From.Length == 0));
    }

    [Fact]
    public async Task A_kill_right_behind_the_expansion_neither_loses_nor_doubles_anybody_and_the_log_has_all_of_it()
    {
        using var directory = new AuditDirectory();
        var spool = new FakeSpool(clock) { DiesWithReport = true };
        var killed = Rig("root: lisa@x.test, bart@x.test", spool: spool);
        killed.Scheduler.Start();
        var id = await killed.AddAsync("root@here.test", "plain@x.test");
        await UntilAsync(() => spool.Left.Count == 2);
        Assert.Empty(sent);

        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path, KeepDays = 100_000 }, clock))
            await EventRecovery.RunAsync(spool.Left, directory.Path, log, clock, Ct);
        var events = await directory.FindAsync();
        Assert.Equal(id.ToString(), Assert.Single(events.OfType<ExpandedEvent>()).QueueId);
        Assert.Equal(MessageSource.Internal, Assert.Single(events.OfType<AcceptedEvent>(), static e => e.ExpandedFrom is not null).Source);

        await using var next = new DeliveryScheduler(spool.Left, Transport(), Options("root: lisa@x.test, bart@x.test"), new RecordingAudit(), clock);
        next.Start();
        await UntilAsync(() => spool.Left.Count == 0);
        Assert.Equal(["bart@x.test", "lisa@x.test", "plain@x.test"], sent.SelectMany(static s => s.To).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_message_whose_only_recipient_was_expanded_before_a_kill_is_over()
    {
        var spool = new FakeSpool(clock) { DiesWithReport = true };
        var killed = Rig("root: lisa@x.test", spool: spool);
        killed.Scheduler.Start();
        await killed.AddAsync("root@here.test");
        await UntilAsync(() => spool.Left.Count == 2);

        await using var next = new DeliveryScheduler(spool.Left, Transport(), Options("root: lisa@x.test"), new RecordingAudit(), clock);
        next.Start();
        await UntilAsync(() => spool.Left.Count == 0);
        Assert.Equal(["lisa@x.test"], sent.SelectMany(static s => s.To));
    }

    [Fact]
    public async Task While_the_disk_takes_nothing_the_message_stays_as_it_is_and_is_expanded_later()
    {
        await using var rig = Rig("root: lisa@x.test");
        var id = await rig.AddAsync("root@here.test");
        rig.Spool.CommitFailure = new SpoolCommit.Full("no room");
        rig.Scheduler.Start();
        var told = await rig.Audit.NextAsync<ServerEvent>();
        Assert.Equal(("spool-error", $"{id} cannot be expanded now: no room"), (told.Event, told.Detail));
        await UntilAsync(() => rig.Scheduler.Statistics() is { Active: 0, Waiting: 1 });
        Assert.Empty(sent);

        rig.Spool.CommitFailure = null;
        clock.Advance(TimeSpan.FromMinutes(2));
        await rig.Spool.GoneAsync(id);
        await UntilAsync(() => rig.Spool.Count == 0);
        Assert.Equal(["lisa@x.test"], sent.SelectMany(static s => s.To));
    }

    [Fact]
    public async Task A_circle_fails_with_a_report_and_others_are_sent_in_the_same_attempt()
    {
        await using var rig = Rig("ring: round\nround: ring");
        rig.Scheduler.Start();
        var id = await rig.AddAsync("ring@here.test", "plain@x.test");
        await rig.Spool.GoneAsync(id);
        await UntilAsync(() => rig.Spool.Count == 0);

        Assert.Contains(sent, static s => s.To is ["plain@x.test"]);
        Assert.Contains(sent, static s => s.From.Length == 0 && s.To is ["a@here.test"]);
        var failed = Assert.Single(rig.Audit.Events.OfType<DeliveryEvent>(), static e => e.Outcome == DeliveryOutcome.Failed);
        Assert.Equal(("ring@here.test", "5.4.6", "loop"), (failed.Recipient, failed.Status, failed.Category));
        Assert.Contains("in a circle", failed.Reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_has_come_back_from_where_it_was_sent_on_to_fails_with_a_report()
    {
        await using var rig = Rig("root: lisa@x.test");
        rig.Scheduler.Start();
        var id = await rig.Spool.AddAsync(clock, "Delivered-To: root@here.test\r\n" + DeliveryRig.Content, "a@here.test", "root@here.test");
        await rig.Spool.GoneAsync(id);
        await UntilAsync(() => rig.Spool.Count == 0);
        Assert.Contains("has come back", Assert.Single(rig.Audit.Events.OfType<DeliveryEvent>(), static e => e.Outcome == DeliveryOutcome.Failed).Reply, StringComparison.Ordinal);
        Assert.DoesNotContain(sent, static s => s.To is ["lisa@x.test"]);
    }

    [Fact]
    public async Task A_command_gets_the_message_as_the_alias_and_what_is_gone_from_the_file_fails()
    {
        var hops = new ConcurrentQueue<(string Hop, string To)>();
        await using var rig = Rig("lisa: \\lisa, |/bin/cat", onHop: (hop, to) => hops.Enqueue((hop, to)), allowed: true);
        rig.Scheduler.Start();
        var id = await rig.AddAsync("lisa@here.test");
        await rig.Spool.GoneAsync(id);
        await UntilAsync(() => rig.Spool.Count == 0);
        Assert.Equal([("fake.test:25", "lisa@here.test"), ("pipe:/bin/cat", "lisa@here.test")], hops.OrderBy(static h => h.Hop, StringComparer.Ordinal));

        hops.Clear();
        await rig.AddAsync(
            static envelope => envelope with { Expanded = new Expansion(default, envelope.Recipients) { Places = [0] } }, "gone@here.test");
        await UntilAsync(() => hops.Count == 1);
        Assert.StartsWith("error:", hops.Single().Hop, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_that_name_each_other_come_to_an_end()
    {
        await using var rig = Rig("staff: sales, lisa@x.test\nowner-staff: boss@x.test\nsales: staff, bart@x.test\nowner-sales: chief@x.test");
        rig.Scheduler.Start();
        await rig.AddAsync("staff@here.test");
        await UntilAsync(() => rig.Spool.Count == 0 && sent.Count == 2);
        Assert.Equal(
            [("owner-sales@here.test", "bart@x.test"), ("owner-staff@here.test", "lisa@x.test")],
            sent.SelectMany(static s => s.To.Select(to => (s.From, to))).OrderBy(static s => s.to, StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_stands_for_nobody_is_over_and_told()
    {
        await using var rig = Rig("nobody: /dev/null");
        rig.Scheduler.Start();
        var id = await rig.AddAsync("nobody@here.test");
        await rig.Spool.GoneAsync(id);
        var expanded = Assert.Single(rig.Audit.Events.OfType<ExpandedEvent>());
        Assert.Equal((null, 0), (expanded.Into, expanded.Targets));
        Assert.Empty(sent);
    }

    /// <summary>RFC 3461: what is thrown away is delivered (§5.2.3), what goes where no wish goes is relayed (§5.2.2), and nobody waits for ever.</summary>
    [Theory]
    [InlineData("nobody: /dev/null", "delivered", "taken by this server, which keeps no mail for this address")]
    [InlineData("nobody: silence\nsilence: /dev/null", "delivered", "taken by this server, which keeps no mail for this address")]
    [InlineData("nobody: plain@x.test", "relayed", "it stands for an address that has the message anyway")]
    [InlineData("nobody: /dev/null, lisa@x.test", "expanded", "sent on to the addresses that it stands for")]
    [InlineData("nobody: /dev/null, plain@x.test", "expanded", "sent on to the addresses that it stands for")]
    public async Task Success_is_told_also_of_what_goes_on_to_nobody(string file, string action, string words)
    {
        var reports = new ConcurrentQueue<string>();
        await using var rig = Rig(
            file,
            async message =>
            {
                if (message.Sender.IsNull)
                    reports.Enqueue(await TextOfAsync(message));
            },
            takesDsn: true);
        rig.Scheduler.Start();
        var id = await rig.AddAsync(Asking(DsnNotify.Success, envid: "QQ1"), "nobody@here.test", "plain@x.test");
        await rig.Spool.GoneAsync(id);
        await UntilAsync(() => rig.Spool.Count == 0);

        var report = Assert.Single(reports);
        Assert.Contains($"Final-Recipient: rfc822; nobody@here.test\r\nAction: {action}\r\n", report, StringComparison.Ordinal);
        Assert.Contains($"; {words}\r\n", report, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DsnNotify.Unspecified)]
    [InlineData(DsnNotify.Failure)]
    public async Task What_throws_away_tells_nobody_who_did_not_ask(DsnNotify asked)
    {
        await using var rig = Rig("nobody: /dev/null");
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync(Asking(asked, envid: "QQ1"), "nobody@here.test"));
        Assert.Empty(rig.Audit.Events.OfType<BounceEvent>());
    }

    /// <summary>The field that a program finds it by (RFC 3464 §2.3.1), also where RCPT said nothing, and the same in words.</summary>
    [Theory]
    [InlineData("root: never@x.test", "root@here.test", "rfc822; root@here.test", "rfc822; never@x.test")]
    [InlineData("root: staff\nstaff: never@x.test, lisa@x.test", "root@here.test", "rfc822; root@here.test", "rfc822; never@x.test")]
    [InlineData("root: never@x.test\nother: lisa@x.test", "root@here.test other@here.test", "rfc822; root@here.test", "rfc822; never@x.test")]
    public async Task A_report_on_what_goes_on_names_the_address_that_the_sender_wrote(string file, string to, string original, string final)
    {
        var reports = new ConcurrentQueue<string>();
        await using var rig = Rig(file, async message =>
        {
            if (message.Sender.IsNull)
                reports.Enqueue(await TextOfAsync(message));
        });
        rig.Scheduler.Start();
        await rig.AddAsync(to.Split(' '));
        await UntilAsync(() => rig.Spool.Count == 0 && !reports.IsEmpty);

        var report = Assert.Single(reports);
        Assert.Contains($"Original-Recipient: {original}\r\nFinal-Recipient: {final}\r\nAction: failed\r\n", report, StringComparison.Ordinal);
        Assert.Contains("    to which mail for <root@here.test> goes on\r\n", report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waiting_mail_is_expanded_by_the_files_of_the_time_when_it_is_sent()
    {
        await using var rig = Rig("root: lisa@x.test");
        var id = await rig.AddAsync("root@here.test");
        await rig.Spool.ChangeAsync(id, static e => e.State with { Held = true }, Ct);
        rig.Scheduler.Start();
        rig.Scheduler.Apply(Options("root: bart@x.test"));
        await rig.Scheduler.ReleaseAsync(id, Ct);
        await UntilAsync(() => rig.Spool.Count == 0);
        Assert.Equal(["bart@x.test"], sent.SelectMany(static s => s.To));
    }

    [Fact]
    public async Task An_operator_sees_what_became_of_whom()
    {
        await using var rig = Rig("root: lisa@x.test, later@x.test");
        rig.Scheduler.Start();
        var id = await rig.AddAsync("root@here.test", "later@y.test");
        var state = await rig.Spool.UpdatedAsync(id, static s => s.Recipients[0].Status == RecipientStatus.Expanded && s.Attempts == 1);
        Assert.StartsWith("stands for 2 addresses, sent on as ", state.Recipients[0].LastReply, StringComparison.Ordinal);
        var queries = new Relay.Admin.QueueQueries(rig.Spool);
        Assert.Equal(["expanded", "pending"], (await queries.FindAsync(id, Ct))!.Recipients.Select(static r => r.Status));
        var into = (await queries.ListAsync(new QueueFilter { To = "later@x.test" }, 10, null, Ct)).Items.Single();
        Assert.Equal((id.ToString(), "root@here.test"), (into.ExpandedFrom, Assert.Single(into.ExpandedNames!.Value)));
    }

    private static async Task<string> TextOfAsync(OutgoingMessage message)
    {
        var octets = new byte[message.Content.Length];
        for (var at = 0; at < octets.Length;)
            at += await message.Content.ReadAsync(at, octets.AsMemory(at), Ct);
        return System.Text.Encoding.UTF8.GetString(octets);
    }

    private static Func<Envelope, Envelope> Asking(DsnNotify notify, string envid) => envelope => envelope with
    {
        Said = envelope.Said with
        {
            Parameters = envelope.Parameters with { EnvelopeId = envid },
            RecipientParameters = [.. envelope.Recipients.Select(_ => new RecipientParameters { Notify = notify })],
        },
    };

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!isSo())
        {
            Assert.False(patience.IsCancellationRequested, "it does not come to it");
            await Task.Yield();
        }
    }

    private DeliveryRig Rig(
        string aliases,
        Func<OutgoingMessage, Task>? onMessage = null,
        FakeSpool? spool = null,
        bool takesDsn = false,
        Action<string, string>? onHop = null,
        bool allowed = false) =>
        new(Options(aliases, allowed), clock, spool, Transport(onMessage, takesDsn, onHop));

    private DeliveryOptions Options(string aliases, bool allowed = false) =>
        DeliveryRig.Options(new Route("*", "smtp://fake.test")) with { Aliases = AliasRig.Read(files.Aliases(aliases, allowed)) };

    /// <summary>Takes everything but what comes later or never.</summary>
    private FakeTransport Transport(Func<OutgoingMessage, Task>? onMessage = null, bool takesDsn = false, Action<string, string>? onHop = null) => new(async (hop, message) =>
    {
        if (onMessage is not null)
            await onMessage(message);
        foreach (var to in message.Recipients)
            onHop?.Invoke(hop.Name, to.Address);
        sent.Enqueue((message.Sender.Address, [.. message.Recipients.Select(static r => r.Address)], message));
        return new DeliveryReport(
            [.. message.Recipients.Select(r => r.LocalPart == "later" ? FakeTransport.Later : r.LocalPart == "never" ? FakeTransport.Never : ((Outcome.Delivered)FakeTransport.Delivered) with { TakesDsn = takesDsn })],
            Reached: true);
    });
}
