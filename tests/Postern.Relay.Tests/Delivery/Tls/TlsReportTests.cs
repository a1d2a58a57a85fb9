using System.Buffers;
using System.Buffers.Text;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Delivery.Tls.Reports;
using Postern.Relay.Delivery.Tls.Sts;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Spool;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery.Tls;

/// <summary>What is counted of TLS with receivers, and how they hear of it (RFC 8460).</summary>
public sealed class TlsReportTests
{
    private static readonly Mailbox From = Mailbox.Parse("tls-reports@relay.test");
    private static readonly Domain Company = Domain.Parse("company-y.example");

    private static string? Read(params string[] texts) => TlsReportRecord.Read(texts.Select(static t => new DnsRecord.Txt("x", TimeSpan.Zero, t))) is { } record
        ? string.Join(' ', [.. record.Mailboxes.Select(static m => m.Address), .. record.Addresses.Select(static a => a.ToString())])
        : null;

    /// <summary>The records of RFC 8460 §3.1 among them.</summary>
    [Theory]
    [InlineData("v=TLSRPTv1;rua=mailto:reports@example.com", "reports@example.com")]
    [InlineData("v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt", "https://reporting.example.com/v1/tlsrpt")]
    [InlineData("v=TLSRPTv1; ext=1; rua=mailto:a@x.example, https://y.example/", "a@x.example https://y.example/")]
    [InlineData("v=TLSRPTv1; rua=mailto:a%2Bb@x.example?subject=x", "a+b@x.example")]
    [InlineData("v=TLSRPTv1; rua=http://y.example/", null)]
    [InlineData("v=TLSRPTv1; rua=", null)]
    [InlineData("v=TLSRPTv1", null)]
    [InlineData("v=TLSRPTv2; rua=mailto:a@x.example", null)]
    public void A_record_says_where_reports_go(string text, string? expected) => Assert.Equal(expected, Read(text));

    [Fact]
    public void Two_records_are_none_and_nobody_is_written_to_without_end()
    {
        Assert.Null(Read("v=TLSRPTv1;rua=mailto:a@x.example", "v=TLSRPTv1;rua=mailto:b@x.example"));
        Assert.Equal("a@x b@x c@x", Read("other", "v=TLSRPTv1;rua=" + string.Join(',', "abcdefg".Select(static c => $"mailto:{c}@x"))));
    }

    /// <summary>The report of RFC 8460, Appendix B, from what it was counted of.</summary>
    [Fact]
    public void The_report_of_the_rfc_is_written()
    {
        var tally = new TlsTally(Company.Text, []);
        var policy = new StsPolicy(StsMode.Testing, TimeSpan.FromDays(1), ["*.mail.company-y.example"]);
        var subject = new TlsSubject(Company, TlsSubject.Sts, policy.Lines, policy.Mx);
        for (var i = 0; i < 5326; i++)
            tally.Add(subject, failure: null, most: 10);
        for (var i = 0; i < 100; i++)
            tally.Add(subject, new TlsFailure("certificate-expired", "2001:db8:abcd:0012::1", "mx1.mail.company-y.example", Address: null, Reason: null), most: 10);
        for (var i = 0; i < 200; i++)
            tally.Add(subject, new TlsFailure("starttls-not-supported", "2001:db8:abcd:0013::1", "mx2.mail.company-y.example", "203.0.113.56", Reason: null), most: 10);
        for (var i = 0; i < 3; i++)
            tally.Add(subject, new TlsFailure("validation-failure", "198.51.100.62", "mx-backup.mail.company-y.example", "203.0.113.58", "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"), most: 10);

        using var json = JsonDocument.Parse(new TlsReport(tally, new DateOnly(2016, 4, 1), Domain.Parse("relay.test"), From).ToJson());

        var root = json.RootElement;
        Assert.Equal(("2016-04-01T00:00:00Z", "2016-04-01T23:59:59Z"), (root.GetProperty("date-range").GetProperty("start-datetime").GetString(), root.GetProperty("date-range").GetProperty("end-datetime").GetString()));
        Assert.Equal("""{"policy-type":"sts","policy-string":["version: STSv1","mode: testing","mx: *.mail.company-y.example","max_age: 86400"],"policy-domain":"company-y.example","mx-host":["*.mail.company-y.example"]}""", root.GetProperty("policies")[0].GetProperty("policy").ToString());
        Assert.Equal("""{"total-successful-session-count":5326,"total-failure-session-count":303}""", root.GetProperty("policies")[0].GetProperty("summary").ToString());
        var details = root.GetProperty("policies")[0].GetProperty("failure-details");
        Assert.Equal("""{"result-type":"starttls-not-supported","sending-mta-ip":"2001:db8:abcd:0013::1","receiving-mx-hostname":"mx2.mail.company-y.example","receiving-ip":"203.0.113.56","failed-session-count":200}""", details[1].ToString());
        Assert.Equal((3, 100, "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"), (details.GetArrayLength(), details[0].GetProperty("failed-session-count").GetInt32(), details[2].GetProperty("failure-reason-code").GetString()));
    }

    [Fact]
    public void Counts_outlive_a_restart_and_a_day_ends_at_midnight()
    {
        using var data = new TemporaryDirectory();
        var clock = new ManualClock();
        var day = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        var counts = new TlsCounts(data.Path, clock);
        counts.Count(TlsSubject.Without(Company), failure: null);
        counts.Count(TlsSubject.Without(Company), new TlsFailure("validation-failure", null, "mx", null, null));
        counts.Flush();
        counts = new TlsCounts(data.Path, clock);
        counts.Count(TlsSubject.Without(Company), new TlsFailure("validation-failure", null, "mx", null, null));
        Assert.Empty(counts.Past());

        clock.Advance(TimeSpan.FromDays(1));
        counts.Count(TlsSubject.Without(Company), failure: null);

        Assert.Equal([day], counts.Past());
        var policy = Assert.Single(Assert.Single(counts.Read(day)).Policies);
        Assert.Equal((1, 2, 2), (policy.Successes, policy.FailedSessions, Assert.Single(policy.Failures).Sessions));
        counts.Keep(day, []);
        Assert.Empty(counts.Past());
    }

    [Fact]
    public void Who_fails_differently_each_time_is_counted_and_not_listed_without_end()
    {
        var counts = new TlsCounts(directory: null, new ManualClock());
        var tally = new TlsTally(Company.Text, []);
        for (var i = 0; i < 1000; i++)
            tally.Add(TlsSubject.Without(Company), new TlsFailure("validation-failure", null, $"mx{i}", null, null), TlsCounts.MostOfDomain);

        Assert.Equal((1000, TlsCounts.MostOfDomain), (tally.Policies[0].FailedSessions, tally.Policies[0].Failures.Count));
        for (var i = 0; i < TlsCounts.Most + 10; i++)
            counts.Count(TlsSubject.Without(Domain.Parse($"d{i}.example")), failure: null);
    }

    [Theory]
    [InlineData(TlsLevel.Opportunistic, true, "no-policy-found", null)]
    [InlineData(TlsLevel.Opportunistic, false, "no-policy-found", "starttls-not-supported")]
    [InlineData(TlsLevel.Dane, true, "tlsa", "validation-failure")]
    public async Task Sessions_are_counted_by_the_policy_of_the_domain(TlsLevel level, bool hasTls, string type, string? result)
    {
        using var data = new TemporaryDirectory();
        var clock = new ManualClock();
        using var certificate = TestCertificate.Create("mx.there.test");
        using var other = TestCertificate.Create("mx.there.test");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = hasTls ? certificate : null });
        await using var dns = TlsRig.Zones().Tlsa("mx.there.test", sink.Port, other).Serve();
        var counts = new TlsCounts(data.Path, clock);
        var options = TlsRig.Options(dns, sink.Port, TlsRig.Policy(level, TlsOtherwise.Opportunistic)) with { TlsReportsFrom = From };
        await using (var rig = new DeliveryRig(options, transport: new SmtpDelivery(options, TimeProvider.System, listeners: null, new StsCache(directory: null, clock), counts)))
        {
            rig.Scheduler.Start();
            await rig.AddAsync(TlsRig.To);
            await rig.Audit.NextAsync<DeliveryEvent>();
        }

        counts.Flush();
        clock.Advance(TimeSpan.FromDays(1));
        var policy = Assert.Single(Assert.Single(counts.Read(Assert.Single(counts.Past()))).Policies);
        Assert.Equal((type, result is null ? 1 : 0, result is null ? 0 : 1), (policy.Type, policy.Successes, policy.FailedSessions));
        if (result is not null)
            Assert.Equal((result, "127.0.0.1", "mx.there.test", "127.0.0.1"), policy.Failures.Single().Failure is var f ? (f.Result, f.From, f.Host, f.Address) : default);
        if (type == "tlsa")
            Assert.Matches("^3 1 1 [0-9a-f]{64}$", Assert.Single(policy.Policy));
    }

    [Fact]
    public async Task A_day_later_the_domain_has_a_message_that_goes_whatever_its_tls_comes_to_and_a_post()
    {
        using var authority = TestAuthority.Create("authority");
        using var data = new TemporaryDirectory();
        var clock = new ManualClock();
        await using var server = new PolicyServer(authority.IssueServer(["reports.there.test"]));
        var zones = new Zones().Txt("_smtp._tls.there.test", "v=TLSRPTv1; rua=mailto:tls@there.test,https://reports.there.test:" + server.Port + "/in").A("reports.there.test", "127.0.0.1");
        await using var dns = zones.Serve();
        var options = TlsRig.Options(dns, 25, TlsRig.Policy(TlsLevel.Verify)) with { TlsReportsFrom = From, TrustedRoots = [authority.Certificate] };
        var counts = new TlsCounts(data.Path, clock);
        var (spool, audit) = (new FakeSpool(clock), new RecordingAudit());
        var reporter = new TlsReporter(counts, spool, audit, clock);
        counts.Count(TlsSubject.Without(Domain.Parse("there.test")), failure: null);
        counts.Count(TlsSubject.Without(Domain.Parse("silent.test")), failure: null);
        counts.Flush();

        await reporter.SendDueAsync(options, TestContext.Current.CancellationToken);
        Assert.Equal(0, spool.Count);
        clock.Advance(TimeSpan.FromDays(1) + TimeSpan.FromHours(4));
        await reporter.SendDueAsync(options, TestContext.Current.CancellationToken);
        await reporter.SendDueAsync(options, TestContext.Current.CancellationToken);

        var entry = Assert.Single(await spool.ListAsync(new QueueFilter(), after: null, 10, TestContext.Current.CancellationToken));
        Assert.Equal((true, true, "tls@there.test"), (entry.Envelope.Sender.IsNull, entry.Envelope.IsTlsOptional, Assert.Single(entry.Envelope.Recipients).Address));
        var text = spool.Text(entry.Envelope.Id);
        Assert.Contains("Content-Type: multipart/report; report-type=\"tlsrpt\"; boundary=", text, StringComparison.Ordinal);
        Assert.Contains("\r\nTLS-Report-Domain: there.test\r\nTLS-Report-Submitter: relay.test\r\nTLS-Required: No\r\n", text, StringComparison.Ordinal);
        Assert.Equal("there.test", Unpack(text).GetProperty("policies")[0].GetProperty("policy").GetProperty("policy-domain").GetString());
        Assert.Equal(["POST /in reports.there.test"], server.Requests);
        Assert.Empty(counts.Past());
        // To this one mail a host may have no TLS at all, whatever the policy.
        Assert.Equal(
            "opportunistic",
            TlsWords.Of((await new SmtpDelivery(options, TimeProvider.System).Connector.Policy.TermsForAsync(options.Routes.Find(entry.Envelope, entry.Envelope.Recipients[0]), new Exchanger("mx.there.test", 0), isAuthentic: false, default)).Policy));
    }

    [Fact]
    public async Task What_cannot_be_asked_or_sent_is_tried_again_and_given_up_after_two_days()
    {
        using var data = new TemporaryDirectory();
        var clock = new ManualClock();
        var zones = new Zones();
        zones.Broken.Add("_smtp._tls.there.test");
        await using var dns = zones.Serve();
        var options = TlsRig.Options(dns, 25, DeliveryTls.Opportunistic) with { TlsReportsFrom = From };
        var counts = new TlsCounts(data.Path, clock);
        var reporter = new TlsReporter(counts, new FakeSpool(clock), new RecordingAudit(), clock);
        counts.Count(TlsSubject.Without(Domain.Parse("there.test")), failure: null);
        counts.Flush();

        clock.Advance(TimeSpan.FromDays(1) + TimeSpan.FromHours(4));
        await reporter.SendDueAsync(options, TestContext.Current.CancellationToken);
        Assert.Single(counts.Past());
        clock.Advance(TimeSpan.FromDays(2));
        await reporter.SendDueAsync(options, TestContext.Current.CancellationToken);
        Assert.Empty(counts.Past());
    }

    private static JsonElement Unpack(string message)
    {
        var begin = message.IndexOf("\r\n\r\n", message.IndexOf("application/tlsrpt+gzip", StringComparison.Ordinal), StringComparison.Ordinal);
        var packed = message[begin..message.IndexOf("\r\n\r\n--", begin, StringComparison.Ordinal)].Replace("\r\n", string.Empty, StringComparison.Ordinal);
        var octets = Encoding.ASCII.GetBytes(packed);
        Assert.Equal(OperationStatus.Done, Base64.DecodeFromUtf8InPlace(octets, out var length));
        using var gzip = new GZipStream(new MemoryStream(octets, 0, length), CompressionMode.Decompress);
        return JsonDocument.Parse(gzip).RootElement;
    }
}
