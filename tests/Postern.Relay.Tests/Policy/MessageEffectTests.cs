using System.Text;
using Postern.Relay.Admin;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Memory;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy;

/// <summary>What rules have done with a message, besides letting it in: held, copied, sent elsewhere, written on.</summary>
public sealed class MessageEffectTests : IAsyncDisposable
{
    /// <summary>Octets allocated for one, the message with it.</summary>
    private const long MostForAHeader = 64 * 1024 * 1024;

    private readonly ManualClock clock = new();
    private readonly RecordingAuditLog audit = new();
    private readonly FakeDirectory directory = new Judge().Directory;
    private readonly MemorySpool spool = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => spool.DisposeAsync();

    [Theory]
    [InlineData("sender")]
    [InlineData("recipient")]
    [InlineData("message")]
    public async Task A_rule_of_any_stage_has_a_message_wait_for_an_operator(string stage)
    {
        var (entry, _) = await SubmitAsync(At(stage, "hold reason: first mail of a new customer"));
        Assert.True(entry.State is { Held: true, HeldByServerAt: null });
        Assert.Equal(new HoldReason("hold", "first mail of a new customer", entry.Envelope.ArrivedAt), entry.State.HeldFor);
        var shown = await new QueueQueries(spool).FindAsync(entry.Envelope.Id, Ct);
        Assert.Equal(("hold", "first mail of a new customer", entry.Envelope.ArrivedAt), (shown!.HeldRule, shown.HeldReason, shown.HeldAt));
        Assert.True(await new SpoolQueueControl(spool, clock).ReleaseAsync(entry.Envelope.Id, Ct));
        Assert.Null((await spool.FindAsync(entry.Envelope.Id, Ct))!.State.HeldFor);
    }

    [Theory]
    [InlineData("sender")]
    [InlineData("recipient")]
    [InlineData("message")]
    public async Task A_copy_goes_to_one_more_whom_no_report_names(string stage)
    {
        var (entry, _) = await SubmitAsync(At(stage, "bcc archive@example.org"), to: ["a@b.test", "c@d.test"]);
        Assert.Equal(["a@b.test", "c@d.test", "archive@example.org"], entry.Envelope.Recipients.Select(static r => r.Address));
        Assert.Equal([DsnNotify.Success, DsnNotify.Success, DsnNotify.Never], Enumerable.Range(0, 3).Select(i => entry.Envelope.ParametersOf(i).Notify));
        Assert.Equal(3, entry.State.Recipients.Length);
    }

    [Fact]
    public async Task A_message_that_is_sent_elsewhere_goes_there_alone_and_its_copy_too()
    {
        var (entry, _) = await SubmitAsync(At("recipient", "redirect catch@example.org", "bcc archive@example.org"), to: ["a@b.test", "c@d.test"]);
        Assert.Equal(["catch@example.org", "archive@example.org"], entry.Envelope.Recipients.Select(static r => r.Address));
    }

    [Fact]
    public async Task A_field_is_written_before_those_it_came_with_and_once_for_all_recipients()
    {
        var (_, content) = await SubmitAsync(At("recipient", "prepend_header field: \"X-Origin: a scanner, on floor 2\""), to: ["a@b.test", "c@d.test"]);
        Assert.Contains("\r\nX-Origin: a scanner, on floor 2\r\nFrom: alice@example.org\r\n", content, StringComparison.Ordinal);
        Assert.Equal(2, content.Split("X-Origin").Length);
    }

    [Fact]
    public async Task What_a_refused_recipient_would_have_done_is_not_done()
    {
        var options = new PolicyOptions { RecipientRules = ["hold", "permit_authenticated"] };
        var policy = new RelayPolicy(options, directory, audit, clock);
        var stranger = Judge.WithSender(Judge.Session(), "a@foreign.test");
        await policy.OnSenderAsync(stranger, Judge.Path("a@foreign.test"), Ct);
        Assert.IsType<Verdict.Refuse>(await policy.OnRecipientAsync(stranger, Mailbox.Parse("b@foreign.test"), Ct));
        Assert.Empty((await policy.OnMessageAsync(stranger, Judge.Path("a@foreign.test"), new HeaderFacts(null, null, 0), Ct)).Effects);
    }

    [Theory]
    [InlineData("Subject: x\r\n")]
    [InlineData("From: alice@example.org\r\n")]
    [InlineData("From: Alice <alice@example.org>\r\n")]
    public async Task Without_a_From_field_the_author_is_the_sender(string header) => await SubmitAsync(At("message", "reject_header_from_mismatch"), header);

    [Theory]
    [InlineData("From: bob@example.org\r\n", "<bob@example.org>: From address rejected: not owned by user alice")]
    [InlineData("From: Alice <alice@example.org>, bob@example.org\r\n", "<bob@example.org>: From address rejected: not owned by user alice")]
    [InlineData("From: =?utf-8?q?alice=40example.org?= <bob@example.org>\r\n", "<bob@example.org>: From address rejected: not owned by user alice")]
    [InlineData("From: alice@example.org\r\nFrom: bob@example.org\r\n", "The From field rejected: not owned by user alice")]
    [InlineData("From: \"alice@example.org\"\r\n <bob@example.org>\r\n", "<bob@example.org>: From address rejected: not owned by user alice")]
    [InlineData("From: undisclosed:;\r\n", "The From field rejected: not owned by user alice")]
    [InlineData("From:\r\n", "The From field rejected: not owned by user alice")]
    [InlineData("From: alice@example.org, @\r\n", "The From field rejected: not owned by user alice")]
    public async Task An_author_that_is_not_the_logins_is_refused_where_the_rule_stands(string header, string words)
    {
        var refused = Assert.IsType<StoreOutcome.Refused>(await OutcomeAsync(At("message", "reject_header_from_mismatch"), header, "a@b.test"));
        Assert.StartsWith($"550 5.7.1 {words} (ref ", refused.Reply.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("From: alice@example.org\r\nResent-From: bob@example.org\r\n", "<bob@example.org>: Resent-From address rejected: not owned by user alice")]
    [InlineData("Resent-From: friends:;\r\nFrom: alice@example.org\r\n", "The Resent-From field rejected: not owned by user alice")]
    [InlineData("Resent-From: alice@example.org\r\nFrom: bob@example.org\r\n", "<bob@example.org>: From address rejected: not owned by user alice")]
    public async Task Who_sends_it_on_is_bound_as_its_author_is(string header, string words)
    {
        var refused = Assert.IsType<StoreOutcome.Refused>(await OutcomeAsync(At("message", "reject_header_from_mismatch"), header, "a@b.test"));
        Assert.StartsWith($"550 5.7.1 {words} (ref ", refused.Reply.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_several_who_sent_it_on_the_newest_counts() =>
        await SubmitAsync(At("message", "reject_header_from_mismatch"), "Resent-From: alice@example.org\r\nResent-From: bob@example.org\r\nFrom: alice@example.org\r\n");

    [Theory]
    [InlineData("From: bob@example.org\r\n", "From: alice@example.org\r\nReply-To: bob@example.org\r\n")]
    [InlineData("From: The Copier <bob@example.org>\r\n", "From: The Copier <alice@example.org>\r\nReply-To: The Copier <bob@example.org>\r\n")]
    [InlineData("From: \"The, Copier\"\r\n\t<bob@example.org>\r\n", "From: \"The, Copier\" <alice@example.org>\r\nReply-To: \"The, Copier\" <bob@example.org>\r\n")]
    [InlineData("From: =?utf-8?q?K=C3=B6nig?= <bob@example.org>\r\n", "From: =?utf-8?q?K=C3=B6nig?= <alice@example.org>\r\nReply-To: =?utf-8?q?K=C3=B6nig?= <bob@example.org>\r\n")]
    [InlineData("From: bob@example.org, carol@example.org\r\n", "From: alice@example.org\r\nReply-To: bob@example.org, carol@example.org\r\n")]
    [InlineData("From: alice@example.org\r\nFrom: bob@example.org\r\n", "From: alice@example.org\r\nReply-To: alice@example.org, bob@example.org\r\n")]
    [InlineData("From: undisclosed:;\r\n", "From: alice@example.org\r\n")]
    [InlineData("From:\r\n", "From: alice@example.org\r\n")]
    [InlineData("Reply-To: x@y.test\r\nFrom: bob@example.org\r\n", "Reply-To: x@y.test\r\n", "From: alice@example.org\r\n")]
    [InlineData("Sender: bob@example.org\r\nFrom: bob@example.org\r\n", "From: alice@example.org\r\nReply-To: bob@example.org\r\n")]
    [InlineData("From: alice@example.org\r\n", "From: alice@example.org\r\n")]
    [InlineData("Subject: x\r\n", "Subject: x\r\n", "From: alice@example.org\r\n")]
    public async Task An_author_that_is_not_the_logins_becomes_one_of_its_own_and_answers_go_where_they_went(string header, params string[] written)
    {
        var (entry, content) = await SubmitAsync(At("message", "rewrite_header_from"), header);
        string[] fields = [.. content[..content.IndexOf("\r\n\r\n", StringComparison.Ordinal)].Split("\r\n")];
        var behindTrace = fields.SkipWhile(static f => !f.StartsWith("Received", StringComparison.Ordinal)).Skip(1).SkipWhile(static f => f[0] == '\t');
        Assert.Equal(
            string.Concat(written),
            string.Concat(behindTrace.Where(static f => f.Split(':')[0] is not ("Date" or "Message-ID")).Select(static f => f + "\r\n")));
        Assert.False(entry.Envelope.HasForeignAuthor);
    }

    [Fact]
    public async Task An_author_that_never_changes_is_everybodys()
    {
        var (_, content) = await SubmitAsync(At("message", "rewrite_header_from scanner@example.org"), "From: Floor 2 <root@printer.local>\r\n");
        Assert.Contains("From: Floor 2 <scanner@example.org>\r\nReply-To: Floor 2 <root@printer.local>\r\n", content, StringComparison.Ordinal);
        (_, content) = await SubmitAsync(At("message", "rewrite_header_from scanner@example.org"), "From: Floor 2 <scanner@example.org>\r\n");
        Assert.DoesNotContain("Reply-To", content, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sender")]
    [InlineData("recipient")]
    [InlineData("message")]
    public async Task Another_hears_of_failures(string stage)
    {
        var (entry, _) = await SubmitAsync(At(stage, "rewrite_sender scanner@example.org"), to: ["a@b.test", "c@d.test"]);
        Assert.Equal("scanner@example.org", entry.Envelope.Sender.Address);
        Assert.Equal(["a@b.test", "c@d.test"], entry.Envelope.Recipients.Select(static r => r.Address));
    }

    /// <summary>What a header may take to be judged: some times its octets, whatever it is made of.</summary>
    [Theory]
    [MemberData(nameof(FloodNames))]
    public async Task A_header_made_to_cost_much_costs_little_and_an_author_in_it_that_is_not_the_logins_is_refused(string flood)
    {
        var (header, refusal) = Floods[flood];
        var before = GC.GetAllocatedBytesForCurrentThread();
        var outcome = await OutcomeAsync(At("message", "reject_header_from_mismatch"), header, "a@b.test");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, long.MinValue, MostForAHeader);
        if (refusal is null)
            Assert.IsType<StoreOutcome.Stored>(outcome);
        else
            Assert.StartsWith(refusal, Assert.IsType<StoreOutcome.Refused>(outcome).Reply.ToString(), StringComparison.Ordinal);
    }

    public static TheoryData<string> FloodNames => [.. Floods.Keys];

    private static Dictionary<string, (string Header, string? Refusal)> Floods
    {
        get
        {
            const string Alice = "From: alice@example.org\r\n";
            const string NotOwned = "550 5.7.1 ";
            const string TooLong = "552 5.3.4 ";
            return new Dictionary<string, (string Header, string? Refusal)>
            {
                ["100,000 fields"] = (Repeat("X: y\r\n", 100_000) + Alice, TooLong),
                ["as many as there is room for"] = (Repeat("X: y\r\n", 40_000) + Alice, null),
                ["as many, and bob"] = (Repeat("X: y\r\n", 40_000) + "From: bob@example.org\r\n", NotOwned),
                ["1,000 From fields"] = (Repeat(Alice, 1_000), NotOwned),
                ["1,000 From fields, one of bob"] = (Repeat(Alice, 999) + "From: bob@example.org\r\n", NotOwned),
                ["a From of a megabyte"] = ($"From: {Repeat("(a) =?utf-8?q?x?= g:alice@example.org;,\r\n ", 25_000)}bob@example.org\r\n", TooLong),
                ["groups, comments and encoded words"] = ($"From: {Repeat("(a(b)) =?utf-8?q?x?= g:alice@example.org;,\r\n ", 5_000)}bob@example.org\r\n", NotOwned),
                ["comments in comments"] = ($"From: bob@example.org {Repeat("(\r\n ", 25_000)}{Repeat(")\r\n ", 25_000)}\r\n", NotOwned),
                ["comments without an end"] = ($"From: bob@example.org {Repeat("(", 200_000)}\r\n", NotOwned),
                ["groups in groups"] = ($"From: {Repeat("g:", 50_000)}bob@example.org{Repeat(";", 50_000)}\r\n", NotOwned),
                ["quotes without an end"] = ($"From: {Repeat("\"", 99_999)} <bob@example.org>\r\n", NotOwned),
                ["brackets"] = ($"From: {Repeat("<", 100_000)}bob@example.org{Repeat(">", 100_000)}\r\n", NotOwned),
                ["20,000 authors"] = ($"From: {Repeat("a@b.c,\r\n ", 20_000)}bob@example.org\r\n", NotOwned),
            };
        }
    }

    private static string Repeat(string text, int count) => new StringBuilder(text.Length * count).Insert(0, text, count).ToString();

    private static PolicyOptions At(string stage, params string[] rules)
    {
        var entries = rules.Select(RuleEntry.Parse).ToArray();
        return new PolicyOptions
        {
            SenderRules = stage == "sender" ? [.. entries] : [],
            RecipientRules = stage == "recipient" ? [.. entries, "permit_authenticated"] : ["permit_authenticated"],
            MessageRules = stage == "message" ? [.. entries] : [],
        };
    }

    private async Task<(SpoolEntry Entry, string Content)> SubmitAsync(PolicyOptions options, string header = "From: alice@example.org\r\n", string[]? to = null)
    {
        var stored = Assert.IsType<StoreOutcome.Stored>(await OutcomeAsync(options, header, to ?? ["a@b.test"]));
        Assert.True(QueueId.TryParse(stored.Id, out var id));
        var entry = (await spool.FindAsync(id, Ct))!;
        using var content = await spool.OpenContentAsync(id, Ct);
        var octets = new byte[content!.Length];
        Assert.Equal(octets.Length, await content.ReadAsync(0, octets, Ct));
        return (entry, Encoding.ASCII.GetString(octets));
    }

    private async Task<StoreOutcome> OutcomeAsync(PolicyOptions options, string header, params string[] to)
    {
        var policy = new RelayPolicy(options, directory, audit, clock);
        var store = new SubmissionStore(spool, audit, clock, _ => directory, policy: policy);
        var session = Judge.WithSender(Judge.Session(login: "alice"), "alice@example.org");
        Assert.IsNotType<Verdict.Refuse>(await policy.OnSenderAsync(session, session.Transaction!.Sender, Ct));
        foreach (var recipient in to)
        {
            Assert.IsType<Verdict.Permit>(await policy.OnRecipientAsync(session, Mailbox.Parse(recipient), Ct));
            session.Transaction.Add(Mailbox.Parse(recipient), new RecipientParameters { Notify = DsnNotify.Success }, "permit_authenticated");
        }

        await using var draft = Assert.IsType<DraftAnswer.Open>(await store.BeginAsync(session, session.Transaction, Ct)).Draft;
        await draft.AppendAsync(Encoding.ASCII.GetBytes($"{header}\r\nx\r\n"), Ct);
        return await draft.CommitAsync(Ct);
    }
}
