using System.IO.Compression;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Delivery.Tls.Reports;
using Postern.Relay.Delivery.Tls.Sts;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Tests.Delivery.Dns;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery.Tls.Conformance;

/// <summary>Reports on TLS: who asks for them, what is counted, what stands in them and how they are sent (RFC 8460).</summary>
internal static class TlsReportStatements
{
    private static readonly Mailbox From = Mailbox.Parse("tls-reports@relay.test");
    private static readonly Domain Company = Domain.Parse("company-y.example");
    private static readonly TestAuthority Authority = TestAuthority.Create("authority");

    public static IEnumerable<Statement> All => [.. Records, .. Results, .. Reports, .. Sending];

    private static IEnumerable<Statement> Records =>
    [
        new("8460 §3", "The record of example.com stands at _smtp._tls.example.com", () => Assert.Equal("_smtp._tls.example.com", TlsReportRecord.NameOf("example.com"))),
        new("8460 §3.1", "The example with mailto is read", () => Assert.Equal("reports@example.com", Read("v=TLSRPTv1;rua=mailto:reports@example.com"))),
        new("8460 §3.1", "The example with https is read", () => Assert.Equal("https://reporting.example.com/v1/tlsrpt", Read("v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt"))),
        new("8460 §3", "Several addresses are separated by commas, with white space around them", () => Assert.Equal("a@x.example b@x.example https://y.example/", Read("v=TLSRPTv1; rua=mailto:a@x.example , mailto:b@x.example,\thttps://y.example/"))),
        new("8460 §3", "Characters that separate stand encoded in an address", () => Assert.Equal("a+b@x.example https://y.example/a,b;c!d", Read("v=TLSRPTv1; rua=mailto:a%2Bb@x.example,https://y.example/a%2Cb%3Bc%21d")?.Replace("%2C", ",", StringComparison.Ordinal).Replace("%3B", ";", StringComparison.Ordinal).Replace("%21", "!", StringComparison.Ordinal))),
        new("8460 §3", "Fields that are unknown are passed over, and a last semicolon is allowed", () => Assert.Equal("a@x.example", Read("v=TLSRPTv1; ext-1=x; rua=mailto:a@x.example;"))),
        new("8460 §3", "Records that do not begin with v=TLSRPTv1; are not looked at, two that do are none", () =>
        {
            Assert.Equal("a@x.example", Read("v=spf1 -all", "v=TLSRPTv1", "v=TLSRPTv2; rua=mailto:b@x.example", "v=TLSRPTv1; rua=mailto:a@x.example"));
            Assert.Null(Read("v=TLSRPTv1; rua=mailto:a@x.example", "v=TLSRPTv1; rua=mailto:a@x.example"));
        }),
        new("8460 §3", "Version and names are compared with their case", () => Assert.All(new[] { "V=TLSRPTv1; rua=mailto:a@x.example", "v=tlsrptv1; rua=mailto:a@x.example", "v=TLSRPTv1; RUA=mailto:a@x.example" }, static text => Assert.Null(Read(text)))),
        new("8460 §3", "rua must be there, and name somebody by mailto or https", () => Assert.All(new[] { "v=TLSRPTv1;", "v=TLSRPTv1; rua=", "v=TLSRPTv1; rua=http://y.example/", "v=TLSRPTv1; rua=ftp://y.example/", "v=TLSRPTv1; rua=mailto:", "v=TLSRPTv1; x=mailto:a@x.example" }, static text => Assert.Null(Read(text)))),
        new("8460 §3", "An address that cannot be read leaves the others", () => Assert.Equal("a@x.example", Read("v=TLSRPTv1; rua=mailto:@,tel:1,mailto:a@x.example"))),
    ];

    /// <summary>Each result type by a session that comes to it.</summary>
    private static IEnumerable<Statement> Results =>
    [
        Result("starttls-not-supported", "sts", "The host does not offer STARTTLS", static w => w.Certificate = null),
        Result("certificate-host-mismatch", "sts", "The certificate is for another name", static w => w.Certificate = Authority.IssueServer(["other.test"])),
        Result("certificate-expired", "sts", "The certificate has expired", static w => w.Certificate = Authority.IssueServer(["mx.there.test"], validFor: TimeSpan.FromHours(1))),
        Result("certificate-not-trusted", "sts", "Nobody who is trusted issued the certificate", static w => w.Certificate = TestCertificate.Create("mx.there.test")),
        Result("validation-failure", "sts", "The host is not in the policy", static w => w.Zones.Without("there.test", DnsType.Mx).Mx("there.test", 1, "mx.other.test").A("mx.other.test", "127.0.0.1")),
        Result("validation-failure", "tlsa", "No TLSA record is for the certificate", static w => w.Sign(3)),
        Result("tlsa-invalid", "tlsa", "None of the TLSA records can be used", static w => w.Sign(1)),
        Result("dnssec-invalid", "tlsa", "The TLSA records cannot be looked up", static w =>
        {
            w.Sign(3);
            w.Zones.Broken.Add($"_{w.Port}._tcp.mx.there.test");
        }),
        Result("dane-required", "no-policy-found", "DANE is required here, and nothing is published", static w =>
        {
            w.Zones.Without("_mta-sts.there.test", DnsType.Txt);
            w.Tls = TlsRig.Policy(TlsLevel.Dane);
        }),
        Result("sts-policy-fetch-error", "sts", "The policy cannot be fetched", static w => w.Server.Status = 404),
        Result("sts-policy-invalid", "sts", "The policy cannot be read", static w => w.Server.Body = "nothing"),
        Result("sts-webpki-invalid", "sts", "The server of the policy has no good certificate", static w => w.Server.Certificate = TestCertificate.Create("mta-sts.there.test")),
        new("8460 §4.2", "A session that is good is counted under the policy that it was held to", async () =>
        {
            await using var world = new World();
            var policy = await world.CountAsync();
            Assert.Equal(("sts", 1, 0, "version: STSv1|mode: enforce|mx: *.there.test|max_age: 86400", "*.there.test"), (policy.Type, policy.Successes, policy.FailedSessions, string.Join('|', policy.Policy), string.Join('|', policy.Hosts)));
        }),
        new("8460 §4.2", "A policy of mode testing: what it would refuse is counted as failed, and the mail goes", async () =>
        {
            await using var world = new World { Certificate = TestCertificate.Create("mx.there.test") };
            world.Server.Body = PolicyServer.Policy("testing", 86400, "mx.there.test");
            var policy = await world.CountAsync(DeliveryOutcome.Delivered);
            Assert.Equal(("sts", 0, 1, "certificate-not-trusted"), (policy.Type, policy.Successes, policy.FailedSessions, Assert.Single(policy.Failures).Failure.Result));
        }),
        new("8460 §4.2", "A domain that publishes nothing is counted as no-policy-found", async () =>
        {
            await using var world = new World();
            world.Zones.Without("_mta-sts.there.test", DnsType.Txt);
            Assert.Equal(("no-policy-found", 1), await world.CountAsync() is var p ? (p.Type, p.Successes) : default);
        }),
        new("8460 §4.2", "TLSA records stand in the report as a zone file has them", async () =>
        {
            await using var world = new World();
            world.Sign(3, world.Certificate);
            Assert.Matches("^3 1 1 [0-9a-f]{64}$", Assert.Single((await world.CountAsync()).Policy));
        }),
        new("8460 §4.4", "A failure has the addresses of both ends and the name of the host", async () =>
        {
            await using var world = new World { Certificate = Authority.IssueServer(["other.test"]) };
            var failure = Assert.Single((await world.CountAsync()).Failures).Failure;
            Assert.Equal(("127.0.0.1", "mx.there.test", "127.0.0.1"), (failure.From, failure.Host, failure.Address));
        }),
    ];

    private static IEnumerable<Statement> Reports =>
    [
        new("8460 Appendix B", "The example report is written, key by key", () =>
        {
            using var expected = JsonDocument.Parse("""
                {
                  "organization-name": "relay.test",
                  "date-range": { "start-datetime": "2016-04-01T00:00:00Z", "end-datetime": "2016-04-01T23:59:59Z" },
                  "contact-info": "tls-reports@relay.test",
                  "report-id": "2016-04-01T00:00:00Z_company-y.example@relay.test",
                  "policies": [{
                    "policy": {
                      "policy-type": "sts",
                      "policy-string": ["version: STSv1", "mode: testing", "mx: *.mail.company-y.example", "max_age: 86400"],
                      "policy-domain": "company-y.example",
                      "mx-host": ["*.mail.company-y.example"]
                    },
                    "summary": { "total-successful-session-count": 5326, "total-failure-session-count": 303 },
                    "failure-details": [
                      { "result-type": "certificate-expired", "sending-mta-ip": "2001:db8:abcd:0012::1", "receiving-mx-hostname": "mx1.mail.company-y.example", "failed-session-count": 100 },
                      { "result-type": "starttls-not-supported", "sending-mta-ip": "2001:db8:abcd:0013::1", "receiving-mx-hostname": "mx2.mail.company-y.example", "receiving-ip": "203.0.113.56", "failed-session-count": 200 },
                      { "result-type": "validation-failure", "sending-mta-ip": "198.51.100.62", "receiving-mx-hostname": "mx-backup.mail.company-y.example", "receiving-ip": "203.0.113.58", "failed-session-count": 3, "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED" }
                    ]
                  }]
                }
                """);
            using var written = JsonDocument.Parse(Example().ToJson());
            Assert.True(JsonElement.DeepEquals(expected.RootElement, written.RootElement), written.RootElement.ToString());
        }),
        new("8460 §4.4", "The report is I-JSON: UTF-8, no name twice, and numbers that are whole", () =>
        {
            var json = Example().ToJson();
            new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(json);
            AssertNoNameTwice(JsonDocument.Parse(json).RootElement);
        }),
        new("8460 §4.1", "A report is of one day, UTC, and of one domain", () =>
        {
            using var json = JsonDocument.Parse(Example().ToJson());
            Assert.Equal(["company-y.example"], json.RootElement.GetProperty("policies").EnumerateArray().Select(static p => p.GetProperty("policy").GetProperty("policy-domain").GetString()).Distinct());
        }),
        new("8460 §5.1", "The file is named by submitter, domain, begin and end, and is packed", () =>
            Assert.Contains("filename=\"relay.test!company-y.example!1459468800!1459555199.json.gz\"", MessageOf(Example()), StringComparison.Ordinal)),
        new("8460 §5.2", "The content is packed by gzip", () =>
        {
            using var gzip = new GZipStream(new MemoryStream(Example().ToGzip()), CompressionMode.Decompress);
            using var plain = new MemoryStream();
            gzip.CopyTo(plain);
            Assert.Equal(Example().ToJson(), plain.ToArray());
        }),
        new("8460 §5.3", "By mail it is a multipart/report of type tlsrpt, with a part for people and a part application/tlsrpt+gzip", () =>
        {
            var text = MessageOf(Example());
            Assert.Contains("Content-Type: multipart/report; report-type=\"tlsrpt\"; boundary=\"tlsrpt-", text, StringComparison.Ordinal);
            Assert.True(text.IndexOf("Content-Type: text/plain", StringComparison.Ordinal) is > 0 and var people && people < text.IndexOf("Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n", StringComparison.Ordinal));
        }),
        new("8460 §5.3", "Its fields TLS-Report-Domain and TLS-Report-Submitter name the domain and this server", () => Assert.Contains("\r\nTLS-Report-Domain: company-y.example\r\nTLS-Report-Submitter: relay.test\r\n", MessageOf(Example()), StringComparison.Ordinal)),
        new("8460 §5.3", "Its subject names domain, submitter and id of the report", () => Assert.Contains("\r\nSubject: Report Domain: company-y.example Submitter: relay.test Report-ID: <2016-04-01T00:00:00Z_company-y.example@relay.test>\r\n", MessageOf(Example()), StringComparison.Ordinal)),
        new("8460 §5.3", "No line of it is longer than 998 octets, and all of it is US-ASCII", () =>
            Assert.All(MessageOf(Example()).Split("\r\n"), static line => Assert.True(line.Length <= 998 && Ascii.IsValid(line)))),
    ];

    private static IEnumerable<Statement> Sending =>
    [
        new("8460 §3", "A report goes whatever the TLS of the receiver comes to, and says so for those behind (TLS-Required: No)", async () =>
        {
            await using var world = new World { Certificate = null };
            var entry = Assert.Single(await world.ReportAsync("mailto:tls@there.test"));
            Assert.True(entry.Envelope.IsTlsOptional);
            Assert.Contains("\r\nTLS-Required: No\r\n", world.TextOf(entry), StringComparison.Ordinal);
        }),
        new("8460 §3", "A report is not reported upon, and its own sessions are not counted", async () =>
        {
            await using var world = new World();
            var entry = Assert.Single(await world.ReportAsync("mailto:tls@there.test"));
            Assert.True(entry.Envelope.Sender.IsNull);
            Assert.Null((await new SmtpDelivery(world.Options(25), TimeProvider.System).Connector.Policy.TermsForAsync(world.Options(25).Routes.Find(entry.Envelope, entry.Envelope.Recipients[0]), new Exchanger("mx.there.test", 0), isAuthentic: false, default)).Subject);
        }),
        new("8460 §5.4", "By https it is a POST of application/tlsrpt+gzip", async () =>
        {
            await using var world = new World();
            Assert.Empty(await world.ReportAsync($"https://reports.there.test:{world.Server.Port}/in"));
            Assert.Equal("POST /in reports.there.test", world.Server.Requests[^1]);
        }),
        new("8460 §5.5", "What cannot be sent is tried again, and given up in the end", async () =>
        {
            await using var world = new World();
            world.Server.Status = 500;
            await world.ReportAsync($"https://reports.there.test:{world.Server.Port}/in");
            Assert.Single(world.Counts.Past());
            world.Clock.Advance(TimeSpan.FromDays(2));
            await world.SendAsync();
            Assert.Empty(world.Counts.Past());
        }),
        new("8460 §4.1", "Nothing is sent before the day is over, and servers do not all send at midnight", async () =>
        {
            await using var world = new World();
            Assert.Empty(await world.ReportAsync("mailto:tls@there.test", after: TimeSpan.Zero));
            Assert.NotEqual(TlsReporter.TimeOf(Domain.Parse("a.example")), TlsReporter.TimeOf(Domain.Parse("b.example")));
        }),
        new("8460 §3", "A domain that does not ask for reports has none", async () =>
        {
            await using var world = new World();
            Assert.Empty(await world.ReportAsync(rua: null));
            Assert.Empty(world.Counts.Past());
        }),
    ];

    private static Statement Result(string word, string type, string says, Action<World> make) => new("8460 §4.3", $"{says}: `{word}`, counted under `{type}`", async () =>
    {
        await using var world = new World();
        make(world);
        var policy = await world.CountAsync();
        Assert.Equal((type, word, 1), (policy.Type, Assert.Single(policy.Failures).Failure.Result, policy.FailedSessions));
    });

    private static string? Read(params string[] texts) => TlsReportRecord.Read(texts.Select(static t => new DnsRecord.Txt("x", TimeSpan.Zero, t))) is { } record
        ? string.Join(' ', [.. record.Mailboxes.Select(static m => m.Address), .. record.Addresses.Select(static a => a.ToString())])
        : null;

    private static TlsReport Example()
    {
        var tally = new TlsTally(Company.Text, []);
        var policy = new StsPolicy(StsMode.Testing, TimeSpan.FromDays(1), ["*.mail.company-y.example"]);
        var subject = new TlsSubject(Company, TlsSubject.Sts, policy.Lines, policy.Mx);
        Add(5326, null);
        Add(100, new TlsFailure("certificate-expired", "2001:db8:abcd:0012::1", "mx1.mail.company-y.example", Address: null, Reason: null));
        Add(200, new TlsFailure("starttls-not-supported", "2001:db8:abcd:0013::1", "mx2.mail.company-y.example", "203.0.113.56", Reason: null));
        Add(3, new TlsFailure("validation-failure", "198.51.100.62", "mx-backup.mail.company-y.example", "203.0.113.58", "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"));
        return new TlsReport(tally, new DateOnly(2016, 4, 1), Domain.Parse("relay.test"), From);

        void Add(int times, TlsFailure? failure)
        {
            for (var i = 0; i < times; i++)
                tally.Add(subject, failure, most: 10);
        }
    }

    private static string MessageOf(TlsReport report) => Encoding.ASCII.GetString(report.ToMessage(new QueueId(1), new DateTimeOffset(2016, 4, 2, 1, 0, 0, TimeSpan.Zero), [Mailbox.Parse("tls@company-y.example")]));

    private static void AssertNoNameTwice(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array)
            Assert.All(element.EnumerateArray(), AssertNoNameTwice);
        if (element.ValueKind == JsonValueKind.Number)
            Assert.True(element.TryGetInt64(out _));
        if (element.ValueKind != JsonValueKind.Object)
            return;
        Assert.Equal(element.EnumerateObject().Count(), element.EnumerateObject().Select(static p => p.Name).Distinct(StringComparer.Ordinal).Count());
        Assert.All(element.EnumerateObject(), static p => AssertNoNameTwice(p.Value));
    }

    /// <summary>there.test with a policy that is enforced and one host, and what is counted of it here.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly TemporaryDirectory data = new();
        private readonly ScriptedSink sink = new();
        private readonly FakeSpool spool;
        private ScriptedDns? dns;

        public World()
        {
            Counts = new TlsCounts(data.Path, Clock);
            spool = new FakeSpool(Clock);
            Zones = TlsRig.Zones().Txt("_mta-sts.there.test", "v=STSv1; id=1;").A("mta-sts.there.test", "127.0.0.1").A("reports.there.test", "127.0.0.1");
            Zones.Unsigned.Add("test");
            Server = new PolicyServer(Authority.IssueServer(["mta-sts.there.test", "reports.there.test"])) { Body = PolicyServer.Policy("enforce", 86400, "*.there.test") };
        }

        public ManualClock Clock { get; } = new();

        public TlsCounts Counts { get; }

        public Zones Zones { get; }

        public PolicyServer Server { get; }

        public X509Certificate2? Certificate { get; set; } = Authority.IssueServer(["mx.there.test"]);

        public DeliveryTls Tls { get; set; } = TlsRig.Policy(TlsLevel.MtaSts, TlsOtherwise.Opportunistic);

        public int Port => sink.Port;

        /// <summary>The zones are signed, and have a record for the certificate, or for another one.</summary>
        public void Sign(byte usage, X509Certificate2? certificate = null)
        {
            Zones.Unsigned.Clear();
            Zones.Without("_mta-sts.there.test", DnsType.Txt);
            if (usage == 3)
                Zones.Tlsa("mx.there.test", Port, certificate ?? TestCertificate.Create("mx.there.test"));
            else
                Zones.Tlsa($"_{Port}._tcp.mx.there.test", usage, 1, 1, new byte[32]);
        }

        public DeliveryOptions Options(int port) => TlsRig.Options(dns ??= Zones.Serve(), port, Tls) with { TlsReportsFrom = From, TrustedRoots = [Authority.Certificate], PolicyPort = Server.Port };

        /// <summary>Makes one delivery, and answers what was counted of it.</summary>
        public async Task<TlsPolicyTally> CountAsync(DeliveryOutcome? expected = null)
        {
            sink.Options = new SinkOptions { Certificate = Certificate };
            var options = Options(Port);
            await using (var rig = new DeliveryRig(options, transport: new SmtpDelivery(options, TimeProvider.System, listeners: null, new StsCache(directory: null, Clock), Counts)))
            {
                rig.Scheduler.Start();
                await rig.AddAsync(TlsRig.To);
                var delivery = await rig.Audit.NextAsync<DeliveryEvent>();
                Assert.Equal(expected ?? delivery.Outcome, delivery.Outcome);
            }

            Counts.Flush();
            Clock.Advance(TimeSpan.FromDays(1));
            return Assert.Single(Assert.Single(Counts.Read(Assert.Single(Counts.Past()))).Policies);
        }

        /// <summary>Counts a session, lets the day end, and answers what is to be mailed.</summary>
        public async Task<IReadOnlyList<SpoolEntry>> ReportAsync(string? rua, TimeSpan? after = null)
        {
            if (rua is not null)
                Zones.Txt("_smtp._tls.there.test", $"v=TLSRPTv1; rua={rua}");
            Counts.Count(TlsSubject.Without(Domain.Parse("there.test")), failure: null);
            Counts.Flush();
            Clock.Advance(after ?? TimeSpan.FromDays(1) + TimeSpan.FromHours(4));
            await SendAsync();
            return await spool.ListAsync(new QueueFilter(), after: null, 10, TestContext.Current.CancellationToken);
        }

        public async Task SendAsync() => await new TlsReporter(Counts, spool, new RecordingAudit(), Clock).SendDueAsync(Options(25), TestContext.Current.CancellationToken);

        public string TextOf(SpoolEntry entry) => spool.Text(entry.Envelope.Id);

        public async ValueTask DisposeAsync()
        {
            await sink.DisposeAsync();
            await Server.DisposeAsync();
            if (dns is not null)
                await dns.DisposeAsync();
            data.Dispose();
        }
    }
}
