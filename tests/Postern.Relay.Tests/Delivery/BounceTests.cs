using System.Text.RegularExpressions;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

public sealed partial class BounceTests
{
    private static readonly DeliveryOptions ToFake = DeliveryRig.Options(new Route("*", "smtp://fake.test"), new Route("here.test", "smtp://reports.test"));

    [GeneratedRegex("boundary=\"([^\"]+)\"", RegexOptions.NonBacktracking)]
    private static partial Regex BoundaryPattern { get; }

    /// <summary>A scheduler whose attempts to here.test, where bounces go, wait for ever.</summary>
    private static DeliveryRig Rig(FakeTransport? transport = null) => new(ToFake, new ManualClock(), transport: transport ?? new FakeTransport(async (_, message) =>
    {
        if (message.Sender.IsNull)
            await Task.Delay(Timeout.Infinite);
        return new DeliveryReport([.. message.Recipients.Select(_ => FakeTransport.Never)], Reached: true);
    }));

    private static async Task<(SpoolEntry Entry, string Text)> BouncedAsync(DeliveryRig rig, string content, params string[] recipients)
    {
        rig.Scheduler.Start();
        await rig.Spool.AddAsync(rig.Clock, content, "a@here.test", recipients);
        var bounce = await rig.Audit.NextAsync<BounceEvent>();
        Assert.True(QueueId.TryParse(bounce.BounceId, out var id));
        return (rig.Spool.Find(id)!, rig.Spool.Text(id));
    }

    [Fact]
    public async Task A_bounce_is_a_delivery_report_from_nobody_to_the_sender()
    {
        await using var rig = Rig();
        var (entry, text) = await BouncedAsync(rig, "Subject: hello\r\nX-Mark: 1\r\n\r\nsecret body\r\n", "b@there.test", "c@there.test");
        await rig.Scheduler.StopAsync(TimeSpan.Zero);

        Assert.True(entry.Envelope.Sender.IsNull);
        Assert.Equal("a@here.test", entry.Envelope.Recipients.Single().Address);
        var header = text[..text.IndexOf("\r\n\r\n", StringComparison.Ordinal)];
        foreach (var field in (string[])["From: Mail Delivery System <MAILER-DAEMON@relay.test>", "To: <a@here.test>", "Date: Thu, 01 Jan 2026 00:00:00 +0000", $"Message-ID: <{entry.Envelope.Id}@relay.test>", "Auto-Submitted: auto-replied", "MIME-Version: 1.0"])
            Assert.Contains("\r\n" + field + "\r\n", "\r\n" + header + "\r\n", StringComparison.Ordinal);
        Assert.Contains("multipart/report; report-type=delivery-status;", header, StringComparison.Ordinal);

        var boundary = BoundaryPattern.Match(header).Groups[1].Value;
        var parts = text.Split($"--{boundary}");
        Assert.Equal(5, parts.Length);
        Assert.Equal("--\r\n", parts[4]);
        Assert.StartsWith("\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n", parts[1], StringComparison.Ordinal);
        Assert.Contains("<c@there.test>\r\n    There is no such mailbox at there.test. Please look for a mistake in\r\n    the address.\r\n    The receiving server refused it:\r\n    550 5.1.1 No such user\r\n", parts[1], StringComparison.Ordinal);
        var report = parts[2].Split("\r\n\r\n");
        Assert.Contains("Reporting-MTA: dns; relay.test\r\n", report[1], StringComparison.Ordinal);
        Assert.Contains("Arrival-Date: Thu, 01 Jan 2026 00:00:00 +0000", report[1], StringComparison.Ordinal);
        Assert.Equal(
            "Final-Recipient: rfc822; b@there.test\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; fake\r\nDiagnostic-Code: smtp; 550 5.1.1 No such user\r\nLast-Attempt-Date: Thu, 01 Jan 2026 00:00:00 +0000",
            report[2]);
        Assert.StartsWith("Final-Recipient: rfc822; c@there.test\r\n", report[3], StringComparison.Ordinal);
        Assert.Equal("\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: hello\r\nX-Mark: 1\r\n\r\n", parts[3]);
        Assert.DoesNotContain("secret body", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_from_nobody_is_never_bounced()
    {
        await using var rig = new DeliveryRig(ToFake, transport: FakeTransport.ByLocalPart());
        rig.Scheduler.Start();

        var id = await rig.Spool.AddAsync(rig.Clock, DeliveryRig.Content, sender: "", "never@there.test");
        await rig.Spool.GoneAsync(id);

        var bounce = await rig.Audit.NextAsync<BounceEvent>();
        Assert.Null(bounce.BounceId);
        Assert.Contains("null sender", bounce.Reason, StringComparison.Ordinal);
        Assert.Equal(0, rig.Spool.Count);
    }

    [Fact]
    public async Task A_bounce_that_cannot_be_stored_keeps_the_message_until_it_can()
    {
        await using var rig = new DeliveryRig(ToFake, new ManualClock(), transport: FakeTransport.ByLocalPart());
        var id = await rig.AddAsync("never@there.test");
        rig.Spool.CommitFailure = new SpoolCommit.Full("no room");
        rig.Scheduler.Start();
        var state = await rig.Spool.UpdatedAsync(id, s => s.Attempts == 1);
        Assert.Equal(RecipientStatus.Pending, state.Recipients[0].Status);
        Assert.Contains("no room", (await rig.Audit.NextAsync<BounceEvent>()).Reason, StringComparison.Ordinal);

        rig.Spool.CommitFailure = null;
        while (rig.Scheduler.RetryNow(id) == QueueCommandOutcome.UnderWay)
            await Task.Yield();
        await rig.Spool.GoneAsync(id);
        Assert.NotNull((await rig.Audit.NextAsync<BounceEvent>()).BounceId);
    }

    [Fact]
    public async Task A_long_header_is_cut_at_a_line_and_an_eight_bit_one_is_declared()
    {
        await using var rig = Rig();
        var lines = string.Concat(Enumerable.Range(0, 3000).Select(i => $"X-Line-{i:0000}: caf\u00e9\r\n"));
        var (entry, text) = await BouncedAsync(rig, lines + "\r\nbody\r\n", "b@there.test");
        await rig.Scheduler.StopAsync(TimeSpan.Zero);

        Assert.True(entry.Envelope.Is8Bit);
        Assert.InRange(text.Length, 30_000, 36_000);
        Assert.Contains("Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\nX-Line-0000: caf\u00e9\r\n", text, StringComparison.Ordinal);
        Assert.Matches("X-Line-[0-9]{4}: caf\u00e9\r\n\r\n--=_[0-9A-Z]{26}--\r\n$", text);
    }

    [Fact]
    public async Task Words_from_outside_cannot_add_a_line()
    {
        var evil = new Outcome.Failed("mx\r\nX-Evil: 1", "550 no\r\nX-Evil: 1\u0000\u00e9" + new string('y', 2000), Tls: null, "5.0.0");
        await using var rig = Rig(new FakeTransport((_, message) => message.Sender.IsNull ? new TaskCompletionSource<DeliveryReport>().Task : Task.FromResult(new DeliveryReport([evil], Reached: true))));
        var (_, text) = await BouncedAsync(rig, DeliveryRig.Content, "b@there.test");
        await rig.Scheduler.StopAsync(TimeSpan.Zero);

        Assert.DoesNotContain("\r\nX-Evil", text, StringComparison.Ordinal);
        Assert.All(text.Split("\r\n"), l => Assert.InRange(l.Length, 0, 998));
    }
}
