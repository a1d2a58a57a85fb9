using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Testing;

namespace Postern.Relay.Tests.Audit;

/// <summary>The index beside a log file makes a search quicker and never another one.</summary>
public sealed class AuditIndexTests : IDisposable
{
    private const int Messages = 4_000;

    private static readonly AuditQuery[] Queries =
    [
        new() { Kinds = AuditKind.Mail, Recipient = "r17@far7.example" },
        new() { Kinds = AuditKind.Mail, Sender = "lisa1234@our.test" },
        new() { Kinds = AuditKind.Mail, MessageId = "m3999@our.test" },
        new() { Kinds = AuditKind.Mail, QueueId = "q2000" },
        new() { Kinds = AuditKind.Mail, Domain = "far3.example", Outcome = "failed" },
        new() { Kinds = AuditKind.Mail, Login = "LISA77" },
        new() { Kinds = AuditKind.Mail, Client = AuditQuery.NetworkOf("192.0.2.9") },
        new() { Kinds = AuditKind.Mail, Tenant = "acme" },
        new() { Kinds = AuditKind.Mail, Route = "upstream", Category = "mailbox_full" },
        new() { Kinds = AuditKind.Mail, Since = AuditDirectory.Noon.AddSeconds(100), Until = AuditDirectory.Noon.AddSeconds(140) },
        new() { Kinds = AuditKind.Mail, Recipient = "nobody@nowhere.example" },
    ];

    private readonly AuditDirectory directory = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Log => directory.FileOf("mail-2026-11-20.jsonl");

    private string Index => directory.FileOf("mail-2026-11-20.idx");

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task With_an_index_and_without_one_the_same_is_found()
    {
        await directory.WriteAsync(Events());
        Assert.NotEmpty(AuditIndex.Read(Log, new FileInfo(Log).Length));
        var found = await AllAsync();
        Assert.All(found[..^1], static ids => Assert.NotEmpty(ids));
        Assert.Empty(found[^1]);

        File.Delete(Index);

        Assert.Equal(found, await AllAsync());
    }

    [Fact]
    public async Task Blocks_without_what_is_sought_are_not_read()
    {
        await directory.WriteAsync(Events());
        var blocks = AuditIndex.Read(Log, new FileInfo(Log).Length);
        Assert.InRange(blocks.Length, 4, 100);
        var filter = new AuditFilter(new AuditQuery { Kinds = AuditKind.Mail, Recipient = "r17@far7.example" });

        Assert.Single(blocks, filter.MayBeIn);
        Assert.InRange(new FileInfo(Index).Length, 1, new FileInfo(Log).Length / 33);
    }

    [Fact]
    public async Task A_damaged_or_foreign_index_changes_nothing()
    {
        await directory.WriteAsync(Events());
        var found = await AllAsync();
        var octets = await File.ReadAllBytesAsync(Index, Ct);
        for (var at = 0; at < octets.Length; at += octets.Length / 7)
        {
            var damaged = (byte[])octets.Clone();
            damaged[at] ^= 0x10;
            await File.WriteAllBytesAsync(Index, damaged, Ct);
            Assert.Equal(found, await AllAsync());
        }

        foreach (var other in new byte[][] { [], [1, 2, 3], octets[..(octets.Length / 2)], new byte[10_000] })
        {
            await File.WriteAllBytesAsync(Index, other, Ct);
            Assert.Equal(found, await AllAsync());
        }
    }

    [Fact]
    public async Task A_missing_index_is_made_again()
    {
        await directory.WriteAsync(Events());
        var found = await AllAsync();
        var blocks = AuditIndex.Read(Log, new FileInfo(Log).Length).Select(static block => (block.Start, block.End)).ToList();
        File.Delete(Index);

        await AuditIndex.RemakeAsync(directory.Path, Ct);

        Assert.Equal(blocks, AuditIndex.Read(Log, new FileInfo(Log).Length).Select(static block => (block.Start, block.End)));
        Assert.Equal(found, await AllAsync());
    }

    [Fact]
    public async Task Lines_that_another_process_adds_between_are_found()
    {
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, new ManualClock(AuditDirectory.Noon)))
        {
            var number = 0;
            foreach (var part in Events().Chunk(500))
            {
                foreach (var audit in part)
                    log.Append(audit);
                await log.FlushAsync(Ct);
                await directory.WriteAsync(AuditDirectory.Accepted(AuditDirectory.Noon, $"other{number++}"));
            }

            for (var i = 0; i < number; i++)
                Assert.Single(await directory.FindAsync(new AuditQuery { Kinds = AuditKind.Mail, QueueId = $"other{i}" }));
        }

        Assert.All((await AllAsync())[..^1], static ids => Assert.NotEmpty(ids));
    }

    [Fact]
    public async Task Page_by_page_all_is_shown_once()
    {
        await directory.WriteAsync(Events().Take(700));
        await directory.WriteAsync(Events().Take(300).Select(static e => e with { At = e.At.AddDays(1), Id = $"{e.Id}x" }));
        var seen = new List<string>();
        AuditCursor? after = null;
        do
        {
            var page = await directory.Search.PageAsync(new AuditQuery { Kinds = AuditKind.Mail, Limit = 137 }, after, TimeSpan.MaxValue, TimeProvider.System, Ct);
            Assert.Null(page.SearchedBackTo);
            seen.AddRange(page.Events.Select(static e => e.Id));
            after = page.Next;
            if (after is not null)
                Assert.True(AuditCursor.TryParse(after.ToString(), out after));
        }
        while (after is not null);

        Assert.Equal(1_000, seen.Count);
        Assert.Equal((await directory.FindAsync(new AuditQuery { Kinds = AuditKind.Mail })).Select(static e => e.Id), seen);
    }

    [Fact]
    public async Task A_search_whose_time_is_over_says_how_far_back_it_looked_and_goes_on_from_there()
    {
        await directory.WriteAsync(Events());
        File.Delete(Index);
        var clock = new HastyClock(AuditDirectory.Noon);
        var query = new AuditQuery { Kinds = AuditKind.Mail, Outcome = "failed", Limit = 5_000 };
        var seen = new List<string>();
        var (pages, back) = (0, DateTimeOffset.MaxValue);
        AuditCursor? after = null;
        do
        {
            var page = await directory.Search.PageAsync(query, after, TimeSpan.FromSeconds(2), clock, Ct);
            seen.AddRange(page.Events.Select(static e => e.Id));
            if (page.Next is not null)
                Assert.True(page.SearchedBackTo < back);
            (pages, after, back) = (pages + 1, page.Next, page.SearchedBackTo ?? back);
        }
        while (after is not null);

        Assert.True(pages > 2);
        Assert.Equal((await directory.FindAsync(query)).Select(static e => e.Id), seen);
    }

    [Theory]
    [InlineData("")]
    [InlineData("mail-2026-11-20")]
    [InlineData("mail-2026-11-20:")]
    [InlineData("mail-2026-11-20:-1")]
    [InlineData("../mail-2026-11-20:7")]
    [InlineData("mail-2026-11-20:7,auth-2026-11-21:7")]
    public void What_is_no_cursor_is_none(string text) => Assert.False(AuditCursor.TryParse(text, out _));

    [Fact]
    public async Task An_event_that_stands_there_twice_is_shown_once()
    {
        var delivery = AuditDirectory.Delivery(AuditDirectory.Noon, "Q1");
        await directory.WriteAsync(delivery, AuditDirectory.Delivery(AuditDirectory.Noon, "Q2"), delivery with { At = AuditDirectory.Noon.AddSeconds(1), Reply = "250 ok, told again" });

        Assert.Equal(2, (await directory.FindAsync()).Count);
    }

    private async Task<List<List<string>>> AllAsync()
    {
        var all = new List<List<string>>();
        foreach (var query in Queries)
            all.Add([.. (await directory.FindAsync(query)).Select(static e => e.Id)]);
        return all;
    }

    private static IEnumerable<AuditEvent> Events()
    {
        for (var i = 0; i < Messages; i++)
        {
            var at = AuditDirectory.Noon.AddMilliseconds(50 * i);
            var origin = AuditDirectory.Origin($"s{i}", $"192.0.2.{i / 100}", $"lisa{i}") with { Tenant = i == 700 ? "acme" : null };
            yield return new AcceptedEvent(at, origin, $"q{i}", $"lisa{i}@our.test", [$"r{i}@far{i % 10}.example"], 1_000) { MessageId = $"<m{i}@our.test>" };
            yield return new DeliveryEvent(at.AddMilliseconds(20), $"q{i}", $"r{i}@far{i % 10}.example", i % 1_000 == 3 ? DeliveryOutcome.Failed : DeliveryOutcome.Delivered, 1, "250 ok")
            {
                Route = i % 500 == 0 ? "upstream" : "mx", Category = i == 1_500 ? "mailbox_full" : null,
            };
        }
    }

    /// <summary>Every look at it takes a fifth of a second.</summary>
    private sealed class HastyClock(DateTimeOffset now) : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => ticks += TimeSpan.TicksPerSecond / 5;

        public override DateTimeOffset GetUtcNow() => now;
    }
}
