using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Tests.Audit;

/// <summary>What puts off many messages is one line of the file, and each of them is found as if it had its own.</summary>
public sealed class DeferralGroupTests : IDisposable
{
    private const int Messages = 40;
    private const string Refused = "delivery suspended: connect: Connection refused";

    private static readonly DateTimeOffset Noon = AuditDirectory.Noon;

    private readonly AuditDirectory directory = new();

    private string[] Lines => File.ReadAllLines(directory.FileOf("mail-2026-11-20.jsonl"));

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task A_deferral_among_others_of_one_reason_takes_at_most_120_octets_of_the_log()
    {
        await directory.WriteAsync(Enumerable.Range(0, 10).Select(i => Deferral(i)));
        Assert.InRange(Assert.Single(Lines).Length / 10.0, 1, 120);
    }

    [Fact]
    public async Task So_does_one_of_two_to_each_of_many_destinations()
    {
        var all = Enumerable.Range(0, 20).Select(i => Deferral(i) with { Recipient = $"subscriber{i}@d12{i / 2}.example.com", Remote = $"mx.d12{i / 2}.example.com[203.0.113.{i / 2}]:25" }).ToList();
        await directory.WriteAsync(all);
        Assert.InRange(Assert.Single(Lines).Length / 20.0, 1, 120);
        Assert.Equal(Enumerable.Reverse(all), await directory.FindAsync());
        Assert.Equal(Enumerable.Reverse(all).Take(2), await directory.FindAsync(new AuditQuery { Domain = "d129.example.com" }));
    }

    [Fact]
    public async Task Each_message_is_found_as_if_it_had_a_line_of_its_own()
    {
        var all = Enumerable.Range(0, Messages).Select(i => Deferral(i)).ToList();
        await directory.WriteAsync(all);
        Assert.Single(Lines);
        Assert.Equal(Enumerable.Reverse(all), await directory.FindAsync());
        Assert.Equal(Enumerable.Reverse(all).Select(static e => e.Id), (await directory.FindAsync()).Select(static e => e.Id));

        Assert.Equal([all[7]], await directory.FindAsync(new AuditQuery { QueueId = all[7].QueueId.ToLowerInvariant() }));
        Assert.Equal([all[8]], await directory.FindAsync(new AuditQuery { Recipient = all[8].Recipient }));
        Assert.Equal(Messages, (await directory.FindAsync(new AuditQuery { Domain = "d1234.example.com" })).Count);
        Assert.Equal(Messages, (await directory.FindAsync(new AuditQuery { Outcome = "deferred", Category = "unreachable", Route = "mx" })).Count);
        Assert.Equal(3, (await directory.FindAsync(new AuditQuery { Since = all[^3].At })).Count);
        Assert.Equal(3, (await directory.FindAsync(new AuditQuery { Until = all[3].At })).Count);
        Assert.Empty(await directory.FindAsync(new AuditQuery { QueueId = "01JD0000000000000000009999" }));
        Assert.Empty(await directory.FindAsync(new AuditQuery { Outcome = "delivered" }));
    }

    [Fact]
    public async Task Its_sender_leads_to_it()
    {
        await directory.WriteAsync([AuditDirectory.Accepted(Noon.AddHours(-1), Deferral(3).QueueId), .. Enumerable.Range(0, Messages).Select(i => Deferral(i))]);
        Assert.Equal(Deferral(3), Assert.Single(await directory.FindAsync(new AuditQuery { Sender = "alice@example.org", Outcome = "deferred" })));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(Messages)]
    public async Task A_search_that_is_gone_on_with_shows_each_once(int page)
    {
        var all = Enumerable.Range(0, Messages).Select(i => Deferral(i)).ToList();
        await directory.WriteAsync([AuditDirectory.Delivery(Noon.AddMinutes(-1), "Q1"), .. all]);
        var found = new List<AuditEvent>();
        string? next = null;
        do
        {
            AuditCursor? after = null;
            Assert.True(next is null || AuditCursor.TryParse(next, out after));
            var answer = await directory.Search.PageAsync(new AuditQuery { Limit = page }, after, TimeSpan.FromMinutes(5), TimeProvider.System, TestContext.Current.CancellationToken);
            found.AddRange(answer.Events);
            next = answer.Next?.ToString();
        }
        while (next is not null);
        Assert.Equal([.. Enumerable.Reverse(all), AuditDirectory.Delivery(Noon.AddMinutes(-1), "Q1")], found);
    }

    [Fact]
    public async Task What_one_message_came_to_stands_as_it_always_did()
    {
        await directory.WriteAsync(Enumerable.Range(0, 3).Select(i => Deferral(0) with { Recipient = $"r{i}@d1234.example.com", RecipientIndex = i }));
        Assert.Equal(3, Lines.Count(static line => line.Contains("\"event\":\"delivery\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Other_reasons_are_other_lines_and_what_is_told_of_a_message_later_stands_behind()
    {
        var (one, two, other) = (Deferral(0), Deferral(1), Deferral(2) with { Reply = "451 later" });
        var bounce = new BounceEvent(two.At.AddSeconds(1), two.QueueId, BounceId: null, "alice@example.org", "too late");
        await directory.WriteAsync(one, two, other, bounce, Deferral(3), Deferral(4));
        string[] names = ["deferrals", "delivery", "bounce", "deferrals"];
        Assert.Equal(names, Lines.Select(static line => line.Split("\"event\":\"")[1].Split('"')[0]));
    }

    [Fact]
    public async Task Whoever_takes_events_beside_the_file_gets_each()
    {
        var sink = new Counting();
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path, KeepDays = 100_000 }, TimeProvider.System, sink))
        {
            for (var i = 0; i < Messages; i++)
                log.Append(Deferral(i));
        }

        Assert.Equal(Messages, sink.Events.Count);
        Assert.Single(Lines);
    }

    [Fact]
    public async Task An_index_that_is_made_again_leads_to_each()
    {
        await directory.WriteAsync(Enumerable.Range(0, 6000).Select(i => Deferral(i)));
        foreach (var index in Directory.GetFiles(directory.Path, "*.idx"))
            File.Delete(index);
        await AuditIndex.RemakeAsync(directory.Path, TestContext.Current.CancellationToken);
        Assert.NotEmpty(Directory.GetFiles(directory.Path, "*.idx"));
        foreach (var i in (int[])[0, 2999, 5999])
            Assert.Equal(Deferral(i), Assert.Single(await directory.FindAsync(new AuditQuery { QueueId = Deferral(i).QueueId })));
    }

    private static DeliveryEvent Deferral(int i) =>
        new(Noon.AddTicks(i * 1234L), $"01JD000000000000000000{i:0000}", $"subscriber{i}@d1234.example.com", DeliveryOutcome.Deferred, 1 + (i % 3), Refused)
        {
            Remote = "mx.d1234.example.com [203.0.113.5]",
            NextAttempt = Noon.AddTicks(i * 1234L).AddMilliseconds(60_000 + i),
            Phase = "connect",
            Route = "mx",
            Category = "unreachable",
        };

    private sealed class Counting : IEventSink
    {
        public List<AuditEvent> Events { get; } = [];

        public string Name => "counting";

        public long Lost => 0;

        public void Offer(AuditEvent audit) => Events.Add(audit);
    }
}
