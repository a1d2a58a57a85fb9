using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy.Explaining;

namespace Postern.Relay.Tests.Audit;

/// <summary>Finding, following and explaining what was written.</summary>
public sealed class AuditSearchTests : IDisposable
{
    private static readonly DateTimeOffset Noon = AuditDirectory.Noon;

    private readonly AuditDirectory directory = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task The_newest_event_comes_first_over_kinds_and_days()
    {
        var events = Enumerable.Range(0, 40)
            .Select(static i => i % 2 == 0 ? (AuditEvent)AuditDirectory.Login(Noon.AddHours(i), $"user{i}") : AuditDirectory.Delivery(Noon.AddHours(i), $"Q{i}"))
            .ToList();
        await directory.WriteAsync(events);
        Assert.Equal(Enumerable.Reverse(events), await directory.FindAsync());
        Assert.Equal(Enumerable.Reverse(events).Take(3), await directory.FindAsync(new AuditQuery { Limit = 3 }));
        Assert.Equal(Enumerable.Reverse(events).Take(11), await directory.FindAsync(new AuditQuery { Since = Noon.AddHours(29) }));
        Assert.Equal(20, (await directory.FindAsync(new AuditQuery { Kinds = AuditKind.Mail })).Count);
        Assert.Empty(await directory.FindAsync(new AuditQuery { Limit = 0 }));
    }

    [Fact]
    public async Task Each_filter_narrows_to_what_it_names()
    {
        await directory.WriteAsync(
            AuditDirectory.Login(Noon, "alice", "192.0.2.7", "s1"),
            AuditDirectory.Login(Noon, "j\u00fcrgen", "192.0.2.70", "s2"),
            AuditDirectory.Login(Noon, "bob", "2001:db8::7", "s3") with { ActingAs = "shared" },
            AuditDirectory.Decision(Noon, "ABCDEF", "s1"),
            AuditDirectory.Decision(Noon, "ABCDEG", "s1", sender: "abcdef@example.org"),
            AuditDirectory.Delivery(Noon, "01J9"));

        Assert.Equal(3, (await directory.FindAsync(new AuditQuery { Login = "ALICE" })).Count);
        Assert.Single(await directory.FindAsync(new AuditQuery { Login = "j\u00fcrgen" }));
        Assert.Single(await directory.FindAsync(new AuditQuery { Login = "shared" }));
        Assert.Empty(await directory.FindAsync(new AuditQuery { Login = "lic" }));
        Assert.Equal(3, (await directory.FindAsync(new AuditQuery { Client = AuditQuery.NetworkOf("::ffff:192.0.2.7") })).Count);
        Assert.Equal(4, (await directory.FindAsync(new AuditQuery { Client = AuditQuery.NetworkOf("192.0.2.0/24") })).Count);
        Assert.Single(await directory.FindAsync(new AuditQuery { Client = AuditQuery.NetworkOf("2001:db8::/32") }));
        Assert.Single(await directory.FindAsync(new AuditQuery { Ref = "abcdef" }));
        Assert.Single(await directory.FindAsync(new AuditQuery { QueueId = "01j9" }));
        Assert.Single(await directory.FindAsync(new AuditQuery { Session = "s3" }));
        Assert.Null(AuditQuery.NetworkOf("not an address"));
    }

    private static AcceptedEvent Mail(double hour, string id, string sender, string messageId, string? user = null, string client = "192.0.2.7", params string[] recipients) =>
        new(Noon.AddHours(hour), AuditDirectory.Origin(client: client, user: user), id, sender, [.. recipients], 100) { MessageId = messageId, HeaderFrom = $"Somebody <{sender}>" };

    private static DeliveryEvent Outcome(double hour, string id, string recipient, DeliveryOutcome outcome) =>
        new(Noon.AddHours(hour), id, recipient, outcome, (int)hour, "250 ok") { Remote = "mx.test" };

    /// <summary>What became of a message carries its queue id and one recipient only: sender, login, client and Message-ID lead to it all the same.</summary>
    [Theory]
    [InlineData("accepted Q1, delivered b@one.test Q1, deferred c@two.test Q1, failed c@two.test Q1, bounce Q1", "lisa@our.test", null, null, null, null, null, null)]
    [InlineData("accepted Q1, delivered b@one.test Q1, deferred c@two.test Q1, failed c@two.test Q1, bounce Q1", null, null, null, "<a@our.test>", null, null, null)]
    [InlineData("accepted Q1, delivered b@one.test Q1, deferred c@two.test Q1, failed c@two.test Q1, bounce Q1", null, null, null, "a@our.test", null, null, null)]
    [InlineData("accepted Q2, delivered b@one.test Q2", null, null, null, null, "APP", null, null)]
    [InlineData("accepted Q2, delivered b@one.test Q2", null, null, null, null, null, "198.51.100.0/24", null)]
    [InlineData("accepted Q1, delivered b@one.test Q1, accepted Q2, delivered b@one.test Q2, bounce Q1", null, "b@one.test", null, null, null, null, null)]
    [InlineData("accepted Q1, delivered b@one.test Q1, accepted Q2, delivered b@one.test Q2, bounce Q1", null, null, "one.test", null, null, null, null)]
    [InlineData("failed c@two.test Q1", "our.test", null, null, null, null, null, "failed")]
    [InlineData("delivered b@one.test Q1", "lisa@our.test", "one.test", null, null, null, null, "delivered")]
    [InlineData("", "nobody@our.test", null, null, null, null, null, null)]
    [InlineData("", null, null, null, "A@our.test", null, null, null)]
    public async Task What_became_of_a_message_is_found_by_what_is_known_of_it(string expected, string? sender, string? recipient, string? domain, string? messageId, string? login, string? client, string? outcome)
    {
        await directory.WriteAsync(
            Mail(0, "Q1", "lisa@our.test", "<a@our.test>", recipients: ["b@one.test", "c@two.test"]),
            Outcome(1, "Q1", "b@one.test", DeliveryOutcome.Delivered),
            Outcome(2, "Q1", "c@two.test", DeliveryOutcome.Deferred),
            Mail(3, "Q2", "app@else.test", "<b@else.test>", "app", "198.51.100.7", "b@one.test"),
            Outcome(4, "Q2", "b@one.test", DeliveryOutcome.Delivered),
            Outcome(72, "Q1", "c@two.test", DeliveryOutcome.Failed),
            new BounceEvent(Noon.AddHours(73), "Q1", "Q9", "lisa@our.test", "no such user"),
            Mail(74, "Q3", "lisa@third.test", "<c@third.test>", recipients: ["d@three.test"]));
        var query = new AuditQuery
        {
            Kinds = AuditKind.Mail,
            Sender = sender,
            Recipient = recipient,
            Domain = domain,
            MessageId = messageId,
            Login = login,
            Client = client is null ? null : AuditQuery.NetworkOf(client),
            Outcome = outcome,
        };

        var found = await directory.FindAsync(query);

        Assert.Equal(expected.Split(", ", StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal), found.Select(Words).Order(StringComparer.Ordinal));
        // What was accepted three days before is known of what is looked for since yesterday.
        var late = await directory.FindAsync(query with { Since = Noon.AddHours(70) });
        Assert.Equal(found.Where(static e => e.At >= Noon.AddHours(70)).Select(Words), late.Select(Words));
        Assert.Equal(found.Where(static e => e.At < Noon.AddHours(2)).Select(Words), (await directory.FindAsync(query with { Until = Noon.AddHours(2) })).Select(Words));

        static string Words(AuditEvent audit) => audit switch
        {
            AcceptedEvent a => $"accepted {a.QueueId}",
            DeliveryEvent d => $"{EventWord.Of(d.Outcome)} {d.Recipient} {d.QueueId}",
            BounceEvent b => $"bounce {b.QueueId}",
            _ => "?",
        };
    }

    [Fact]
    public async Task A_missing_directory_holds_no_events() =>
        Assert.Empty(await new AuditSearch(directory.FileOf("nowhere")).FindAsync(new AuditQuery(), Ct).ToListAsync(Ct));

    [Fact]
    public async Task A_directory_that_cannot_be_read_is_not_taken_for_an_empty_one()
    {
        await File.WriteAllTextAsync(directory.FileOf("file"), "", Ct);
        await Assert.ThrowsAnyAsync<IOException>(async () => await new AuditSearch(directory.FileOf("file")).FindAsync(new AuditQuery(), Ct).ToListAsync(Ct));
    }

    [Fact]
    public async Task A_torn_last_line_and_damage_in_between_are_passed_over()
    {
        await directory.WriteAsync(AuditDirectory.Login(Noon, "first"));
        await File.AppendAllTextAsync(directory.FileOf("auth-2026-11-20.jsonl"), "\0\0\0\n\n{\"at\":\n", Ct);
        await directory.WriteAsync(AuditDirectory.Login(Noon, "second"));
        await File.AppendAllTextAsync(directory.FileOf("auth-2026-11-20.jsonl"), "{\"at\":\"2026-11-20T12:00:00.0000000Z\",\"event\":\"logi", Ct);
        Assert.Equal(["second", "first"], (await directory.FindAsync()).Cast<LoginEvent>().Select(static login => login.User));
    }

    [Fact]
    public async Task Lines_longer_than_a_block_are_read_whole()
    {
        var large = AuditDirectory.Decision(Noon, "LARGE0") with { Chain = [.. Enumerable.Range(0, 2_000).Select(static i => new RuleStep("rule", $"looked at number {i} of many things", "pass", Remedy: null))] };
        await directory.WriteAsync(AuditDirectory.Decision(Noon, "BEFORE"), large, AuditDirectory.Decision(Noon, "AFTER0"));
        var found = (await directory.FindAsync()).Cast<DecisionEvent>().ToList();
        Assert.Equal(["AFTER0", "LARGE0", "BEFORE"], found.Select(static decision => decision.Ref));
        Assert.Equal(large.Chain, found[1].Chain);
    }

    [Fact]
    public async Task Ten_events_among_a_hundred_thousand_are_found()
    {
        await directory.WriteAsync(Enumerable.Range(0, 100_000).Select(static i => AuditDirectory.Decision(Noon.AddTicks(i), i % 10_000 == 77 ? "K7M3Q9" : "AAAAAA")));
        Assert.Equal(10, (await directory.FindAsync(new AuditQuery { Ref = "K7M3Q9" })).Count);
    }

    [Fact]
    public async Task Every_line_is_read_once_however_the_blocks_fall()
    {
        var events = Enumerable.Range(0, 3_000).Select(static i => AuditDirectory.Decision(Noon.AddTicks(i), sender: new string('a', i % 61))).ToList();
        await directory.WriteAsync(events);
        Assert.Equal(Enumerable.Reverse(events).Select(static e => (e.At, e.Sender)), (await directory.FindAsync()).Cast<DecisionEvent>().Select(static e => (e.At, e.Sender)));
    }

    [Fact]
    public async Task A_tail_begins_at_the_end_and_goes_on_over_midnight_and_torn_writes()
    {
        await directory.WriteAsync(AuditDirectory.Login(Noon, "old"));
        var tail = new AuditTail(directory.Path, new AuditQuery { Kinds = AuditKind.Auth }, TimeProvider.System);
        await using var events = tail.FollowAsync(TimeSpan.FromMilliseconds(1), Ct).GetAsyncEnumerator(Ct);

        await directory.WriteAsync(AuditDirectory.Login(Noon, "new"), AuditDirectory.Decision(Noon));
        Assert.Equal("new", await NextAsync());
        await directory.WriteAsync(AuditDirectory.Login(Noon.AddDays(1), "tomorrow"));
        Assert.Equal("tomorrow", await NextAsync());

        var next = NextAsync();
        var line = await File.ReadAllTextAsync(directory.FileOf("auth-2026-11-21.jsonl"), Ct);
        await File.AppendAllTextAsync(directory.FileOf("auth-2026-11-21.jsonl"), line[..40], Ct);
        await File.AppendAllTextAsync(directory.FileOf("auth-2026-11-21.jsonl"), line[40..], Ct);
        Assert.Equal("tomorrow", await next);

        async Task<string?> NextAsync()
        {
            Assert.True(await events.MoveNextAsync());
            return Assert.IsType<LoginEvent>(events.Current).User;
        }
    }

    [Fact]
    public async Task A_reference_is_explained_by_every_decision_that_bears_it()
    {
        await directory.WriteAsync(AuditDirectory.Decision(Noon, "K7M3Q9", "s1"), AuditDirectory.Decision(Noon.AddDays(1), "K7M3Q9", "s2"), AuditDirectory.Decision(Noon, "AAAAAA"));
        var explainer = new Explainer(directory.Search);
        var found = Assert.IsType<Explanation.OfReference>(await explainer.ExplainAsync("k7m3q9", Ct));
        Assert.Equal(["s2", "s1"], found.Decisions.Select(static decision => decision.Session));
        Assert.IsType<Explanation.Unknown>(await explainer.ExplainAsync("BBBBBB", Ct));
        Assert.IsType<Explanation.Unknown>(await explainer.ExplainAsync("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", Ct));
        Assert.IsType<Explanation.Malformed>(await explainer.ExplainAsync("what?", Ct));
    }

    [Fact]
    public async Task A_queue_id_is_explained_by_its_own_transaction_and_what_followed()
    {
        var clock = new SettableClock(Noon);
        var (earlier, id) = (QueueId.New(clock).ToString(), QueueId.New(clock).ToString());
        await directory.WriteAsync(
            AuditDirectory.Decision(Noon, "AAAAAA"),
            AuditDirectory.Accepted(Noon.AddSeconds(1), earlier),
            AuditDirectory.Decision(Noon.AddSeconds(2), "BBBBBB"),
            AuditDirectory.Decision(Noon.AddSeconds(2), "XXXXXX", session: "another"),
            AuditDirectory.Decision(Noon.AddSeconds(3), "CCCCCC"),
            AuditDirectory.Accepted(Noon.AddSeconds(4), id),
            AuditDirectory.Decision(Noon.AddSeconds(5), "DDDDDD"),
            AuditDirectory.Delivery(Noon.AddSeconds(6), id, DeliveryOutcome.Deferred),
            AuditDirectory.Delivery(Noon.AddDays(1), id),
            AuditDirectory.Delivery(Noon.AddDays(1), earlier));

        var found = Assert.IsType<Explanation.OfMessage>(await new Explainer(directory.Search).ExplainAsync(id.ToLowerInvariant(), Ct));
        Assert.Equal(id, found.Accepted?.QueueId);
        Assert.Equal(["BBBBBB", "CCCCCC"], found.Decisions.Select(static decision => decision.Ref));
        Assert.Equal([DeliveryOutcome.Deferred, DeliveryOutcome.Delivered], found.Deliveries.Cast<DeliveryEvent>().Select(static delivery => delivery.Outcome));
    }

    [Theory]
    [InlineData("plain j\u00fcrgen <a@b>", "plain j\u00fcrgen <a@b>")]
    [InlineData("a\r\n\u001b[1m", "a\\u000D\\u000A\\u001B[1m")]
    [InlineData("\u202e\u2066\u200b\u00a0\ufeff", "\\u202E\\u2066\\u200B\\u00A0\\uFEFF")]
    public void A_text_from_the_log_is_made_safe_for_a_terminal(string text, string shown) => Assert.Equal(shown, PrintableText.Of(text));

    [Fact]
    public void A_lone_surrogate_is_shown_by_its_number() => Assert.Equal("a\\uD83Db", PrintableText.Of("a\ud83db"));
}
