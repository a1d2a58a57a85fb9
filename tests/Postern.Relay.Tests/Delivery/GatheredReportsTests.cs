using System.Text;
using System.Text.RegularExpressions;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Reports;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Who is owed very many reports gets them together, and nobody who is owed one gets none.</summary>
public sealed partial class GatheredReportsTests
{
    private static readonly DeliveryOptions ToFake = DeliveryRig.Options(new Route("*", "smtp://fake.test"));

    private readonly ManualClock clock = new();
    private readonly List<string> reports = [];

    [GeneratedRegex("X-Postern-Queue-ID: ([0-9A-Z]{26})", RegexOptions.NonBacktracking)]
    private static partial Regex AboutPattern { get; }

    [GeneratedRegex("multipart/digest; boundary=\"([^\"]+)\"", RegexOptions.NonBacktracking)]
    private static partial Regex BoundaryPattern { get; }

    [GeneratedRegex("Message [0-9A-Z]{26}", RegexOptions.NonBacktracking)]
    private static partial Regex MessagePattern { get; }

    [GeneratedRegex("[0-9A-Z]{26}", RegexOptions.NonBacktracking)]
    private static partial Regex IdPattern { get; }

    private FakeTransport Transport() => new(async (_, message) =>
    {
        if (!message.Sender.IsNull)
            return new DeliveryReport([.. message.Recipients.Select(static r => r.LocalPart.StartsWith("later", StringComparison.Ordinal) ? FakeTransport.Later : FakeTransport.Never)], Reached: true);
        var octets = new byte[message.Content.Length];
        for (var at = 0; at < octets.Length;)
            at += await message.Content.ReadAsync(at, octets.AsMemory(at), CancellationToken.None);
        lock (reports)
            reports.Add(Encoding.Latin1.GetString(octets));
        return new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Delivered)], Reached: true);
    });

    private async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
        {
            Assert.False(patience.IsCancellationRequested, "it does not come to it");
            await Task.Yield();
        }
    }

    private IEnumerable<string> Told
    {
        get
        {
            lock (reports)
                return [.. reports.SelectMany(static text => AboutPattern.Matches(text).Select(static m => m.Groups[1].Value))];
        }
    }

    [Fact]
    public async Task Eight_hundred_failures_of_one_sender_are_all_told_and_none_is_kept_quiet()
    {
        await using var rig = new DeliveryRig(ToFake, clock, transport: Transport());
        rig.Scheduler.Start();
        var ids = new List<string>();
        for (var i = 0; i < 800; i++)
            ids.Add((await rig.AddAsync(static e => e with { Login = "lisa" }, $"never{i}@there.test")).ToString());
        await UntilAsync(() => rig.Audit.Events.OfType<BounceEvent>().Count() == 800 && Told.Count() == 500);
        await UntilAsync(() => rig.Scheduler.Statistics() is { Active: 0 });

        clock.Advance(TimeSpan.FromMinutes(11));
        await UntilAsync(() => rig.Spool.Count == 0);

        Assert.Equal(ids.Order(), Told.Order());
        Assert.Equal(503, reports.Count);
        Assert.DoesNotContain(rig.Audit.Events.OfType<BounceEvent>(), static b => b.BounceId is null);
    }

    [Fact]
    public async Task Reports_in_one_message_are_whole_reports_of_their_own()
    {
        await using var rig = new DeliveryRig(ToFake with { ReportsPerAddress = 1 }, clock, transport: Transport());
        rig.Scheduler.Start();
        for (var i = 0; i < 3; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync($"never{i}@there.test"));
        await UntilAsync(() => reports.Count == 1 && rig.Scheduler.Statistics() is { Active: 0 });
        clock.Advance(TimeSpan.FromMinutes(11));
        await UntilAsync(() => reports.Count == 2);

        var (alone, together) = (reports[0], reports[1]);
        Assert.Contains("\r\nSubject: 2 reports on your messages\r\n", together, StringComparison.Ordinal);
        Assert.Contains("\r\nTo: <a@here.test>\r\n", together, StringComparison.Ordinal);
        var plain = together[..together.IndexOf("multipart/digest", StringComparison.Ordinal)];
        Assert.Equal(2, plain.Split("1 of 1 recipients failed: 550 5.1.1 No such user").Length - 1);
        var boundary = BoundaryPattern.Match(together).Groups[1].Value;
        var parts = together.Split($"--{boundary}");
        Assert.Equal(4, parts.Length);
        foreach (var part in parts[1..3])
        {
            // Written as if it stood alone: only the ids and the recipient differ.
            var report = part["\r\n\r\n".Length..];
            Assert.StartsWith("From: Mail Delivery System <MAILER-DAEMON@relay.test>\r\n", report, StringComparison.Ordinal);
            Assert.Equal(
                alone.Split("\r\n").Where(static l => !l.Contains("=_", StringComparison.Ordinal) && !l.Contains("never", StringComparison.Ordinal) && !IdPattern.IsMatch(l)),
                report.TrimEnd('\r', '\n').Split("\r\n").Append("").Where(static l => !l.Contains("=_", StringComparison.Ordinal) && !l.Contains("never", StringComparison.Ordinal) && !IdPattern.IsMatch(l)));
        }
    }

    [Fact]
    public async Task A_report_that_is_alone_goes_as_it_is()
    {
        await using var rig = new DeliveryRig(ToFake with { ReportsPerAddress = 1 }, clock, transport: Transport());
        rig.Scheduler.Start();
        for (var i = 0; i < 2; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync($"never{i}@there.test"));
        await UntilAsync(() => reports.Count == 1 && rig.Scheduler.Statistics() is { Active: 0 });
        clock.Advance(TimeSpan.FromMinutes(11));
        await UntilAsync(() => rig.Spool.Count == 0);

        Assert.Equal(2, reports.Count);
        Assert.All(reports, static text => Assert.Contains("report-type=delivery-status", text, StringComparison.Ordinal));
    }

    /// <summary>The message with all reports is stored, and then the process ends.</summary>
    [Fact]
    public async Task A_kill_when_reports_were_joined_sends_each_once()
    {
        var spool = new FakeSpool(clock);
        var ids = new List<QueueId>();
        for (var i = 0; i < 5; i++)
            ids.Add(await GatheredAsync(spool));
        spool.DiesWithReport = true;
        var rig = new DeliveryRig(ToFake, clock, spool, Transport());
        rig.Scheduler.Start();
        await UntilAsync(() => spool.Left.List().Any(static e => e.Envelope.ReportOf is { IsGathered: false }));

        await using (var scheduler = new DeliveryScheduler(spool.Left, Transport(), ToFake, new RecordingAudit(), clock))
        {
            scheduler.Start();
            clock.Advance(TimeSpan.FromHours(1));
            await UntilAsync(() => spool.Left.Count == 0);
        }

        Assert.Single(reports);
        Assert.Equal(ids.Select(static id => $"Message {id}").Order(), MessagePattern.Matches(reports[0]).Select(static m => m.Value).Order());
    }

    [Fact]
    public async Task What_the_disk_does_not_take_together_stays_and_is_sent_later()
    {
        var spool = new FakeSpool(clock);
        for (var i = 0; i < 3; i++)
            await GatheredAsync(spool);
        spool.CommitFailure = new SpoolCommit.Full("no room");
        await using var rig = new DeliveryRig(ToFake, clock, spool, Transport());
        rig.Scheduler.Start();
        await rig.Audit.NextAsync<ServerEvent>();
        Assert.Equal(3, spool.Count);

        spool.CommitFailure = null;
        await UntilAsync(() => rig.Scheduler.Statistics() is { Active: 0 });
        clock.Advance(TimeSpan.FromMinutes(2));
        await UntilAsync(() => spool.Count == 0);
        Assert.Single(reports);
    }

    [Fact]
    public async Task A_report_that_must_stay_under_tls_is_not_put_beside_one_that_need_not()
    {
        var spool = new FakeSpool(clock);
        await GatheredAsync(spool, requiresTls: true);
        await GatheredAsync(spool);
        await GatheredAsync(spool);
        await using var rig = new DeliveryRig(ToFake, clock, spool, Transport());
        rig.Scheduler.Start();
        await UntilAsync(() => spool.Count == 0);
        Assert.Equal([1, 2], reports.Select(static text => MessagePattern.Count(text)).Order());
    }

    [Fact]
    public async Task The_postmaster_hears_of_a_report_that_nobody_takes_and_of_no_word_to_himself()
    {
        var transport = new FakeTransport(static (_, message) => Task.FromResult(new DeliveryReport([.. message.Recipients.Select(static _ => FakeTransport.Never)], Reached: true)));
        await using var rig = new DeliveryRig(ToFake with { NoticesToPostmaster = 2 }, clock, transport: transport);
        rig.Scheduler.Start();
        for (var i = 0; i < 4; i++)
            await rig.Spool.GoneAsync(await rig.AddAsync("never@there.test"));
        await UntilAsync(() => rig.Spool.Count == 0 && rig.Scheduler.Statistics() is { Active: 0 });

        Assert.Equal(2, rig.Audit.Events.OfType<BounceEvent>().Count(static b => b is { To: "postmaster@relay.test", BounceId: not null }));
        Assert.Equal(2, rig.Audit.Events.OfType<BounceEvent>().Count(static b => b.To == "postmaster@relay.test" && b.Reason.Contains("more than 2 an hour", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_word_to_the_postmaster_says_which_report_and_how_many_before_it()
    {
        var report = new Envelope
        {
            Id = QueueId.New(clock),
            ArrivedAt = clock.GetUtcNow(),
            Said = new(ReversePath.Null, [Mailbox.Parse("a@here.test")]),
            ReportOf = new ReportOrigin(QueueId.New(clock), "1 of 1 recipients failed: 550 no"),
        };
        var text = Encoding.ASCII.GetString(LostReportNotice.Write(
            QueueId.New(clock), clock.GetUtcNow(), Domain.Parse("relay.test"), Mailbox.Parse("postmaster@relay.test"), report, Mailbox.Parse("a@here.test"), "550 5.1.1 nobody\r\nX: y", before: 3));
        Assert.Contains("\r\nSubject: A report to a@here.test cannot be delivered\r\n", text, StringComparison.Ordinal);
        Assert.Contains($"postern log mail --ref {report.ReportOf.About}\r\n", text, StringComparison.Ordinal);
        Assert.Contains("3 more", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\nX: y", text, StringComparison.Ordinal);
    }

    /// <summary>A report that waits for others; the id of the message that it is about.</summary>
    private async Task<QueueId> GatheredAsync(FakeSpool spool, bool requiresTls = false)
    {
        var about = QueueId.New(clock);
        await spool.AddAsync(clock, $"Subject: report\r\n\r\nMessage {about}\r\n", "", ["a@here.test"], e => e with
        {
            Said = e.Said with { Parameters = new MailParameters { RequiresTls = requiresTls } },
            ReportOf = new ReportOrigin(about, "1 of 1 recipients failed: 550 no") { IsGathered = true },
        });
        return about;
    }
}
