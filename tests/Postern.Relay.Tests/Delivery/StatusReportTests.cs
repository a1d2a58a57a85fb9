using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Reports;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Which reports a sender gets, and what is in them.</summary>
public sealed class StatusReportTests
{
    private const string Body = "Subject: hello\r\n\r\nsecret body\r\n";

    private static readonly DeliveryOptions ToFake = DeliveryRig.Options(new Route("*", "smtp://fake.test"));

    public static TheoryData<DsnNotify, string, string> Wishes()
    {
        var cells = new TheoryData<DsnNotify, string, string>();
        foreach (var notify in (DsnNotify[])[DsnNotify.Unspecified, DsnNotify.Never, DsnNotify.Success, DsnNotify.Failure, DsnNotify.Delay, DsnNotify.Success | DsnNotify.Failure | DsnNotify.Delay])
        {
            cells.Add(notify, "never", notify == DsnNotify.Unspecified || notify.HasFlag(DsnNotify.Failure) ? "failed" : "suppressed");
            cells.Add(notify, "ok", notify.HasFlag(DsnNotify.Success) ? "relayed" : "nothing");
            cells.Add(notify, "later", notify == DsnNotify.Unspecified || notify.HasFlag(DsnNotify.Delay) ? "delayed" : "nothing");
        }

        return cells;
    }

    /// <summary>A rig whose reports, which go to here.test, wait for ever.</summary>
    private static DeliveryRig Rig(DeliveryOptions? options = null, Func<string, Outcome>? answer = null) => new(options ?? ToFake, new ManualClock(), transport: new FakeTransport(async (_, message) =>
    {
        if (message.Sender.IsNull)
            await Task.Delay(Timeout.Infinite);
        return new DeliveryReport([.. message.Recipients.Select(r => (answer ?? ByWord)(r.LocalPart))], Reached: true);
    }));

    private static DeliveryRig RigThatTakesReports(DeliveryOptions options) => new(options, new ManualClock(), transport: new FakeTransport(static (_, message) =>
        Task.FromResult(new DeliveryReport([.. message.Recipients.Select(r => message.Sender.IsNull ? FakeTransport.Delivered : ByWord(r.LocalPart))], Reached: true))));

    private static Outcome ByWord(string word) => word switch
    {
        "ok" => FakeTransport.Delivered,
        "later" => FakeTransport.Later,
        _ => FakeTransport.Never,
    };

    private static Func<Envelope, Envelope> Asking(DsnNotify notify) => envelope => envelope with
    {
        Said = envelope.Said with
        {
            RecipientParameters = [.. envelope.Recipients.Select(r => new RecipientParameters { Notify = notify, OriginalRecipient = new OriginalRecipient("rfc822", $"first+{r.LocalPart}@there.test") })],
        },
    };

    /// <summary>Its sender wrote neither the address that fails nor the message that was made for it.</summary>
    [Fact]
    public async Task A_report_on_mail_that_an_alias_sent_on_names_the_address_that_was_written_and_the_number_that_was_given()
    {
        await using var rig = Rig();
        rig.Scheduler.Start();
        var first = QueueId.New(rig.Clock);
        await rig.AddAsync(e => e with { Expanded = new Expansion(first, [Mailbox.Parse("one@here.test")]) }, "never@there.test");
        var (_, text) = await NextReportAsync(rig);
        Assert.Contains("\r\n<never@there.test>\r\n    to which mail for <one@here.test> goes on\r\n", text, StringComparison.Ordinal);
        Assert.Contains($"Its number here was {first}.", text, StringComparison.Ordinal);
    }

    /// <summary>A command and a text of the configuration are no receiving server.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_a_receiving_server_is_spoken_where_there_is_one(bool isThere)
    {
        await using var rig = Rig(answer: _ => new Outcome.Failed(isThere ? "fake" : null, "550 5.7.1 no", Tls: null, "5.7.1") { Cause = DeliveryCause.Refused, Code = 550, IsVerbatim = isThere });
        rig.Scheduler.Start();
        await rig.AddAsync("a@there.test");
        var (_, text) = await NextReportAsync(rig);
        Assert.Equal(isThere, text.Contains("receiving server", StringComparison.Ordinal));
    }

    private static async Task<(Envelope Envelope, string Text)> NextReportAsync(DeliveryRig rig)
    {
        var bounce = await rig.Audit.NextAsync<BounceEvent>();
        Assert.True(QueueId.TryParse(bounce.BounceId, out var id), bounce.Reason);
        return (rig.Spool.Find(id)!.Envelope, rig.Spool.Text(id));
    }

    [Theory]
    [MemberData(nameof(Wishes))]
    public async Task A_sender_gets_the_reports_that_notify_asks_for(DsnNotify notify, string fate, string expected)
    {
        await using var rig = Rig(ToFake with { Retry = RetrySchedule.Default with { Warn = TimeSpan.Zero } });
        rig.Scheduler.Start();
        var id = await rig.AddAsync(Asking(notify), $"{fate}@there.test");
        if (fate == "later")
            await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);
        else
            await rig.Spool.GoneAsync(id);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);

        var bounces = rig.Audit.Events.OfType<BounceEvent>().ToList();
        switch (expected)
        {
            case "nothing":
                Assert.Empty(bounces);
                break;
            case "suppressed":
                Assert.Null(Assert.Single(bounces).BounceId);
                break;
            default:
                Assert.True(QueueId.TryParse(Assert.Single(bounces).BounceId, out var report));
                Assert.Contains($"\r\nAction: {expected}\r\n", rig.Spool.Text(report), StringComparison.Ordinal);
                Assert.Equal(DsnNotify.Never, rig.Spool.Find(report)!.Envelope.ParametersOf(0).Notify);
                break;
        }
    }

    [Fact]
    public async Task A_next_hop_that_takes_dsn_reports_success_itself()
    {
        await using var rig = Rig(answer: static _ => new Outcome.Delivered("fake", "250 2.0.0 Ok", Tls: null) { TakesDsn = true });
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync(Asking(DsnNotify.Success), "ok@there.test"));
        Assert.Empty(rig.Audit.Events.OfType<BounceEvent>());
    }

    [Fact]
    public async Task Addresses_beside_the_RFC_stand_in_a_report_as_they_were_written()
    {
        await using var rig = Rig();
        rig.Scheduler.Start();
        await rig.AddAsync(static e => e with { Said = e.Said with { Sender = new ReversePath(Mailbox.Parse("a..b@here.test")) } }, ".never.@there.test");
        var (envelope, text) = await NextReportAsync(rig);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
        Assert.Equal("a..b@here.test", Assert.Single(envelope.Recipients).Address);
        Assert.Contains("a..b@here.test", text, StringComparison.Ordinal);
        Assert.Contains("\r\nFinal-Recipient: rfc822; .never.@there.test\r\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_carries_what_the_sender_knows_the_message_by()
    {
        await using var rig = Rig();
        rig.Scheduler.Start();
        await rig.AddAsync(e => Asking(DsnNotify.Failure)(e) is var asking ? asking with { Said = asking.Said with { Parameters = new MailParameters { EnvelopeId = "QQ 1" } } } : e, "never@there.test");
        var (_, text) = await NextReportAsync(rig);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
        Assert.Contains("\r\nOriginal-Envelope-Id: QQ 1\r\nReporting-MTA: dns; relay.test\r\n", text, StringComparison.Ordinal);
        Assert.Contains("\r\nOriginal-Recipient: rfc822; first+never@there.test\r\nFinal-Recipient: rfc822; never@there.test\r\nAction: failed\r\n", text, StringComparison.Ordinal);
    }

    /// <summary>RFC 4865 §5.1.2: as MAIL said it.</summary>
    [Theory]
    [InlineData(null, "until;2025-12-31T23:00:00Z")]
    [InlineData(3_600, "for;3600")]
    public async Task A_report_on_mail_that_was_held_says_how_its_sender_asked_for_that(int? seconds, string request)
    {
        await using var rig = Rig();
        rig.Scheduler.Start();
        var parameters = new MailParameters { HoldUntil = new DateTimeOffset(2025, 12, 31, 23, 0, 0, TimeSpan.Zero), HoldFor = seconds is { } s ? TimeSpan.FromSeconds(s) : null };
        await rig.AddAsync(e => e with { Said = e.Said with { Parameters = parameters } }, "never@there.test");
        var (_, text) = await NextReportAsync(rig);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);

        Assert.Contains($"\r\nFuture-Release-Request: {request}\r\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_delay_is_reported_once_and_says_how_long_it_will_be_tried()
    {
        var clock = new ManualClock();
        await using var rig = new DeliveryRig(ToFake, clock, transport: new FakeTransport(async (_, message) =>
        {
            if (message.Sender.IsNull)
                await Task.Delay(Timeout.Infinite);
            return new DeliveryReport([FakeTransport.Later], Reached: true);
        }));
        rig.Scheduler.Start();
        var id = await rig.AddAsync("later@there.test");
        // 4.2.0 is tried often in the first hour.
        for (var attempt = 1; attempt <= 20; attempt++)
        {
            var state = await rig.Spool.UpdatedAsync(id, s => s.Attempts == attempt);
            Assert.Equal(clock.GetUtcNow() - rig.Spool.Find(id)!.Envelope.ArrivedAt >= TimeSpan.FromHours(4) ? DelayReports.Late : DelayReports.None, state.Reported);
            while (rig.Scheduler.Statistics().Waiting == 0)
                await Task.Yield();
            clock.Advance(state.NextAttempt - clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        }

        var (_, text) = await NextReportAsync(rig);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
        Assert.Single(rig.Audit.Events.OfType<BounceEvent>());
        Assert.Contains("\r\nAction: delayed\r\nStatus: 4.2.0\r\n", text, StringComparison.Ordinal);
        Assert.Contains("\r\nWill-Retry-Until: Tue, 06 Jan 2026 00:00:00 +0000\r\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DsnReturn.Unspecified, false, false)]
    [InlineData(DsnReturn.Headers, false, false)]
    [InlineData(DsnReturn.Full, false, true)]
    [InlineData(DsnReturn.Full, true, false)]
    public async Task Ret_full_returns_the_message_unless_it_must_stay_under_tls(DsnReturn ret, bool requiresTls, bool isFull)
    {
        await using var rig = Rig();
        rig.Scheduler.Start();
        await rig.Spool.AddAsync(rig.Clock, Body, "a@here.test", ["never@there.test"], e => e with { Said = e.Said with { Parameters = new MailParameters { Return = ret, RequiresTls = requiresTls } } });
        var (envelope, text) = await NextReportAsync(rig);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
        Assert.Equal(isFull, text.Contains("secret body\r\n", StringComparison.Ordinal));
        Assert.Contains(isFull ? "Content-Type: message/rfc822\r\n\r\nSubject: hello" : "Content-Type: text/rfc822-headers\r\n\r\nSubject: hello", text, StringComparison.Ordinal);
        Assert.Equal(requiresTls, envelope.Parameters.RequiresTls);
    }

    [Fact]
    public async Task Of_a_message_that_is_too_large_only_the_header_comes_back()
    {
        await using var rig = Rig();
        rig.Scheduler.Start();
        await rig.Spool.AddAsync(rig.Clock, Body + new string('x', ReturnedContent.MaxFullOctets), "a@here.test", ["never@there.test"], static e => e with { Said = e.Said with { Parameters = new MailParameters { Return = DsnReturn.Full } } });
        var (_, text) = await NextReportAsync(rig);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
        Assert.DoesNotContain("secret body", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_internationalized_message_is_reported_in_the_forms_of_rfc_6533()
    {
        await using var rig = Rig();
        rig.Scheduler.Start();
        await rig.Spool.AddAsync(rig.Clock, "Subject: gr\u00c3\u00bc\u00c3\u009fe\r\n\r\nx\r\n", "a@here.test", ["never@there.test"], static e => e with
        {
            Said = e.Said with
            {
                Parameters = new MailParameters { IsUtf8 = true },
                RecipientParameters = [new() { OriginalRecipient = new OriginalRecipient("utf-8", "j\u00fcrgen@there.test") }],
            },
            HasUtf8Header = true,
        });
        var (envelope, text) = await NextReportAsync(rig);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
        Assert.Equal(new MailParameters { IsUtf8 = true, Body = BodyType.EightBitMime }, envelope.Parameters);
        Assert.Contains("report-type=global-delivery-status;", text, StringComparison.Ordinal);
        Assert.Contains("Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n", text, StringComparison.Ordinal);
        Assert.Contains("Original-Recipient: utf-8; j\u00c3\u00bcrgen@there.test\r\n", text, StringComparison.Ordinal);
        Assert.Contains("Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: gr\u00c3\u00bc\u00c3\u009fe\r\n", text, StringComparison.Ordinal);
    }

    /// <summary>Row 101: a stranger names a victim as the sender and a recipient that does not exist; the victim hears nothing.</summary>
    [Fact]
    public async Task Row_101_a_forged_sender_gets_no_report()
    {
        await using var rig = Rig();
        rig.Scheduler.Start();
        var id = await rig.AddAsync(static e => e with { IsInbound = true }, "never@there.test");
        await rig.Spool.GoneAsync(id);
        var bounce = await rig.Audit.NextAsync<BounceEvent>();
        Assert.Null(bounce.BounceId);
        Assert.Contains("may be forged", bounce.Reason, StringComparison.Ordinal);
        Assert.Equal(0, rig.Spool.Count);
    }

    /// <summary>Row 101: a report that cannot be delivered is not reported.</summary>
    [Fact]
    public async Task Row_101_a_report_is_never_reported()
    {
        await using var rig = new DeliveryRig(ToFake, new ManualClock(), transport: new FakeTransport(static (_, message) => Task.FromResult(new DeliveryReport([FakeTransport.Never], Reached: true))));
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(await rig.AddAsync("never@there.test"));
        var first = await rig.Audit.NextAsync<BounceEvent>();
        Assert.NotNull(first.BounceId);
        var second = await rig.Audit.NextAsync<BounceEvent>();
        Assert.Equal((first.BounceId, null), (second.QueueId, second.BounceId));
    }

    [Fact]
    public async Task Nobody_is_buried_in_reports()
    {
        await using var rig = RigThatTakesReports(ToFake with { ReportsPerAddress = 3 });
        rig.Scheduler.Start();
        for (var i = 0; i < 5; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync("never@there.test"));
        await rig.Spool.UpdatedAsync(await rig.AddAsync("later@there.test"), static s => s.Attempts == 1);
        Assert.Equal([false, false, false, true, true], Gathered(rig));
        ((ManualClock)rig.Clock).Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(2, rig.Spool.List().Count(static e => e.Envelope.ReportOf is not null));
        ((ManualClock)rig.Clock).Advance(TimeSpan.FromMinutes(21));
        await rig.Spool.GoneAsync(await rig.AddAsync("never@there.test"));
        Assert.DoesNotContain(rig.Spool.List(), static e => e.Envelope.ReportOf is { IsGathered: true });
    }

    /// <summary>Which of the reports that were written so far wait for others; all were written.</summary>
    private static IEnumerable<bool> Gathered(DeliveryRig rig) => rig.Audit.Events.OfType<BounceEvent>().Select(b =>
        QueueId.TryParse(b.BounceId, out var id) ? rig.Spool.Find(id)?.Envelope.ReportOf!.IsGathered == true : throw new InvalidOperationException(b.Reason)).ToList();

    /// <summary>Row 59: a next hop answers with lines that look like fields of the spool or of a report.</summary>
    [Fact]
    public async Task Row_59_lines_of_an_evil_reply_are_one_line_in_spool_and_report()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.Rcpt, new SinkAction.Reply("550-5.1.1 no\r\n550-5.1.1 Final-Recipient: rfc822; root\r\n550-\r\n550 5.1.1 {\"status\":\"Delivered\"}")));
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("there.test", sink.Port), new Route("*", "smtp://127.0.0.1:1")));
        rig.Scheduler.Start();
        await rig.AddAsync("b@there.test");
        var (_, text) = await NextReportAsync(rig);
        Assert.DoesNotContain("\nFinal-Recipient: rfc822; root", text, StringComparison.Ordinal);
        Assert.Contains("Diagnostic-Code: smtp; 550 5.1.1 no / ", text, StringComparison.Ordinal);
        var delivery = rig.Audit.Events.OfType<DeliveryEvent>().First();
        Assert.DoesNotContain('\n', delivery.Reply);
    }

    [Fact]
    public async Task Reports_of_success_cost_no_report_of_a_failure()
    {
        await using var rig = RigThatTakesReports(ToFake with { ReportsPerAddress = 2, Reports = 2 });
        rig.Scheduler.Start();
        for (var i = 0; i < 3; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync(Asking(DsnNotify.Success), "ok@there.test"));
        await rig.Spool.GoneAsync(await rig.AddAsync("never@there.test"));
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
        Assert.Equal([false, false, true, false], Gathered(rig));
    }

    [Fact]
    public async Task A_login_loses_no_report_to_what_others_provoke()
    {
        await using var rig = RigThatTakesReports(ToFake with { Reports = 1 });
        rig.Scheduler.Start();
        foreach (var login in (string?[])[null, null, "lisa"])
            await rig.Spool.GoneAsync(await rig.AddAsync(e => e with { Login = login }, "never@there.test"));
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
        Assert.Equal([false, true, false], Gathered(rig));
    }

    [Fact]
    public async Task A_report_that_the_disk_did_not_take_does_not_count()
    {
        await using var rig = RigThatTakesReports(ToFake with { ReportsPerAddress = 1, Reports = 1 });
        var id = await rig.AddAsync("never@there.test");
        rig.Spool.CommitFailure = new SpoolCommit.Full("no room");
        rig.Scheduler.Start();
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            Assert.Equal(RecipientStatus.Pending, (await rig.Spool.UpdatedAsync(id, s => s.Attempts == attempt)).Recipients[0].Status);
            while (rig.Scheduler.Statistics().Waiting == 0)
                await Task.Yield();
            if (attempt == 3)
                rig.Spool.CommitFailure = null;
            Assert.Equal(QueueCommandOutcome.Done, rig.Scheduler.RetryNow(id));
        }

        await rig.Spool.GoneAsync(id);
        Assert.NotNull(rig.Audit.Events.OfType<BounceEvent>().Last().BounceId);
    }

    [Fact]
    public async Task A_report_of_success_that_goes_wrong_sends_no_second_copy()
    {
        var transport = FakeTransport.ByLocalPart();
        await using var rig = new DeliveryRig(ToFake, new ManualClock(), transport: transport);
        var id = await rig.AddAsync(Asking(DsnNotify.Success), "ok@there.test");
        rig.Spool.DraftFailure = new InvalidOperationException("no report today");
        rig.Scheduler.Start();
        await rig.Spool.GoneAsync(id);
        while (rig.Scheduler.Statistics() is not { Waiting: 0, Active: 0, Held: 0 })
            await Task.Yield();
        Assert.Single(transport.Attempts);
    }

    [Fact]
    public async Task A_message_with_a_deadline_of_mode_r_is_said_to_be_tried_until_then()
    {
        await using var rig = Rig(ToFake with { Retry = RetrySchedule.Default with { Warn = TimeSpan.Zero } });
        rig.Scheduler.Start();
        await rig.AddAsync(static e => e with { Said = e.Said with { Parameters = e.Parameters with { DeliverBy = new DeliverBy(TimeSpan.FromHours(6), IsNotify: false, IsTrace: false) } } }, "later@there.test");
        var (_, text) = await NextReportAsync(rig);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
        Assert.Contains("\r\nWill-Retry-Until: Thu, 01 Jan 2026 06:00:00 +0000\r\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mx.there.test[192.0.2.1]:25", true, "550 5.1.1 No such user", "mx.there.test", "smtp; 550 5.1.1 No such user")]
    [InlineData("[192.0.2.1]:25", true, "550 no", "[192.0.2.1]", "smtp; 550 no")]
    [InlineData("mx.there.test[2001:db8::1]:25", false, "250 octets are our own words", "mx.there.test", "x-postern; 250 octets are our own words")]
    public async Task Programs_are_told_the_servers_name_and_only_what_it_said(string remote, bool isVerbatim, string reply, string name, string diagnostic)
    {
        await using var rig = Rig(answer: _ => new Outcome.Failed(remote, reply, Tls: null, "5.0.0") { IsVerbatim = isVerbatim });
        rig.Scheduler.Start();
        await rig.AddAsync("never@there.test");
        var (_, text) = await NextReportAsync(rig);
        await rig.Scheduler.StopAsync(TimeSpan.Zero);
        Assert.Contains($"\r\nRemote-MTA: dns; {name}\r\nDiagnostic-Code: {diagnostic}\r\n", text, StringComparison.Ordinal);
        Assert.Contains($"(server: {remote})\r\n", text, StringComparison.Ordinal);
    }
}
