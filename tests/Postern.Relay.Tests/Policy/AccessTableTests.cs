using Postern.Relay.Audit.Events;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Access;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy;

/// <summary>Access tables: what they find, what they refuse to be, and that a changed one counts only when it reads.</summary>
public sealed class AccessTableTests : IDisposable
{
    private const string Addresses = """
        # who
        boss@example.org        OK
        example.net             reject Not from this domain
        .example.net            550 5.7.1 Nor from one below it
        newsletter@             hold looked at first
        <>                      dunno
        late.test               DEFER 4.3.2 come again: later, please
        /^bounce-[0-9]+@/       prepend X-Kind: bounce
        /@bad\.test$/           list strict
        copy@here.test          bcc archive@example.org
        to@here.test            redirect archive@example.org
        short@here.test         450
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("postern-access-").FullName;
    private readonly ManualClock clock = new();
    private readonly RecordingAuditLog audit = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Table => Path.Combine(folder, "table");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("boss@example.org", "permit check_access", null)]
    [InlineData("BOSS@EXAMPLE.ORG", "permit check_access", null)]
    [InlineData("x@example.net", "554 check_access", "554 5.7.1 Not from this domain (ref DRYRUN)")]
    [InlineData("x@a.b.example.net", "550 check_access", "550 5.7.1 Nor from one below it (ref DRYRUN)")]
    [InlineData("newsletter@anywhere.test", "550 reject_unauth_destination", null)]
    [InlineData("", "550 reject_unauth_destination", null)]
    [InlineData("x@late.test", "450 check_access", "450 4.3.2 come again: later, please (ref DRYRUN)")]
    [InlineData("x@notlate.test", "550 reject_unauth_destination", null)]
    [InlineData("x@below.late.test", "550 reject_unauth_destination", null)]
    [InlineData("bounce-12@x.test", "550 reject_unauth_destination", null)]
    [InlineData("x@bad.test", "554 reject", "554 5.7.1 Access denied (ref DRYRUN)")]
    [InlineData("short@here.test", "450 check_access", "450 4.7.1 Access denied for now, try again later (ref DRYRUN)")]
    public async Task The_most_exact_pattern_counts(string sender, string outcome, string? reply)
    {
        await File.WriteAllTextAsync(Table, Addresses, Ct);
        var decision = await Policy($"check_access by: sender, table: {Table}").DryRunAsync(Judge.Facts(), Judge.Path(sender), Mailbox.Parse("b@foreign.test"), Ct);
        Assert.Equal(outcome, Judge.Outcome(decision));
        if (reply is not null)
            Assert.Equal(reply, decision.Reply!.ToString());
    }

    [Theory]
    [InlineData("10.1.2.3", "permit check_access")]
    [InlineData("10.1.2.4", "554 check_access")]
    [InlineData("::ffff:10.1.2.3", "permit check_access")]
    [InlineData("192.0.2.1", "550 reject_unauth_destination")]
    [InlineData("2001:db8::1", "554 check_access")]
    public async Task Of_a_client_the_longest_prefix_counts(string client, string outcome)
    {
        await File.WriteAllTextAsync(Table, "10.0.0.0/8 reject\n10.1.2.3 OK\n2001:db8::/32 reject\n", Ct);
        var decision = await Policy($"check_access by: client, table: {Table}").DryRunAsync(Judge.Facts(client), Judge.Path("a@x.test"), Mailbox.Parse("b@foreign.test"), Ct);
        Assert.Equal(outcome, Judge.Outcome(decision));
    }

    [Theory]
    [InlineData("a@b.test", "line 1: there is no action behind the pattern")]
    [InlineData("a@b.test jump", "line 1: no action is called jump")]
    [InlineData("# x\n\na@b.test bcc nobody", "line 3: bcc needs an address")]
    [InlineData("a@b.test 250 ok", "line 1: no action is called 250")]
    [InlineData("a@b.test 421 4.3.2 x", "line 1: no action is called 421")]
    [InlineData(" a@b.test OK", "line 1: it begins with a blank")]
    [InlineData("/(a)\\1/ OK", "line 1: the expression /(a)\\1/ cannot be used: ")]
    [InlineData("/a OK", "line 1: the expression has no slash at its end")]
    [InlineData("a@b.test OK\nA@B.TEST reject", "line 2: A@B.TEST stands there twice")]
    [InlineData("a@b.test prepend nothing", "line 1: PREPEND needs a header field")]
    [InlineData("a@b.test reject h\u00e9", "line 1: what stands behind the action is longer than 160 characters, or not printable US-ASCII")]
    public void What_does_not_read_is_told_with_its_line(string text, string problem) => Assert.StartsWith(
        problem, Assert.Throws<InvalidDataException>(() => AccessTable.Read(text.Split('\n'), AccessSubject.Sender)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_table_that_changes_counts_when_it_reads_and_else_the_one_before()
    {
        var policy = Policy($"check_access by: sender, table: {Table}");
        Assert.Equal("451 check_access", await OutcomeAsync(policy));
        await ChangeAsync(policy, "a@x.test OK\n");
        Assert.Equal("permit check_access", await OutcomeAsync(policy));
        await ChangeAsync(policy, "a@x.test jump\nand more\n");
        Assert.Equal("permit check_access", await OutcomeAsync(policy));
        await ChangeAsync(policy, "a@x.test reject no more\n");
        Assert.Equal("554 check_access", await OutcomeAsync(policy));
        File.Delete(Table);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("554 check_access", await OutcomeAsync(policy));
    }

    [Theory]
    [InlineData("pass", "550 reject_unauth_destination")]
    [InlineData("refuse", "550 check_access")]
    public async Task What_counts_without_the_table_is_the_operators(string onError, string outcome) =>
        Assert.Equal(outcome, await OutcomeAsync(Policy($"check_access by: sender, table: {Table}, on_error: {onError}")));

    /// <summary>The configuration cannot know: the table may say it at any time.</summary>
    [Fact]
    public async Task A_table_that_has_its_own_list_asked_again_lets_nobody_in()
    {
        await File.WriteAllTextAsync(Table, "a@x.test list round\n", Ct);
        var options = new PolicyOptions
        {
            SenderRules = [],
            RecipientRules = ["round", "permit"],
            Classes = System.Collections.Immutable.ImmutableSortedDictionary<string, System.Collections.Immutable.ImmutableArray<RuleEntry>>.Empty.Add(
                "round", [RuleEntry.Parse($"check_access by: sender, table: {Table}")]),
        };
        var decision = await new RelayPolicy(options, new Judge().Directory, new RecordingAuditLog(), clock).DryRunAsync(
            Judge.Facts(), Judge.Path("a@x.test"), Mailbox.Parse("b@foreign.test"), Ct);
        Assert.Equal("451 check_access", Judge.Outcome(decision));
    }

    [Fact]
    public async Task A_hundred_thousand_lines_are_a_table()
    {
        await File.WriteAllLinesAsync(Table, Enumerable.Range(0, 100_000).Select(static i => $"user{i}@x.test reject number {i % 7}"), Ct);
        var policy = Policy($"check_access by: sender, table: {Table}");
        var decision = await policy.DryRunAsync(Judge.Facts(), Judge.Path("user99999@x.test"), Mailbox.Parse("b@foreign.test"), Ct);
        Assert.Equal("554 5.7.1 number 4 (ref DRYRUN)", decision.Reply!.ToString());
    }

    /// <summary>Sessions ask all the while; each answer is one of a whole table, and the old one until the new one is whole.</summary>
    [Fact]
    public async Task A_million_lines_are_rewritten_while_sessions_ask_and_no_half_of_them_counts()
    {
        await WriteMillionAsync("reject old", lines: 1_000_000);
        var policy = Policy($"check_access by: sender, table: {Table}");
        Assert.Equal("554 5.7.1 old (ref DRYRUN)", await LastAsync(policy));

        // Half of it is there, and the writer pauses.
        await WriteMillionAsync("reject new", lines: 500_000);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("554 5.7.1 old (ref DRYRUN)", await LastAsync(policy));

        await WriteMillionAsync("reject new", lines: 1_000_000);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("554 5.7.1 old (ref DRYRUN)", await LastAsync(policy));
        clock.Advance(TimeSpan.FromSeconds(1));
        using var isRead = new CancellationTokenSource();
        var sessions = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var answers = new HashSet<string?>();
            do
                answers.Add(await LastAsync(policy));
            while (!isRead.IsCancellationRequested);
            return answers;
        })).ToArray();
        while (await LastAsync(policy) != "554 5.7.1 new (ref DRYRUN)")
            await Task.Yield();
        await isRead.CancelAsync();
        foreach (var answers in await Task.WhenAll(sessions))
            Assert.Subset(new HashSet<string?> { "554 5.7.1 old (ref DRYRUN)", "554 5.7.1 new (ref DRYRUN)" }, answers);
    }

    [Fact]
    public async Task A_broken_line_of_a_changed_table_is_told_once_with_its_number()
    {
        var policy = Policy($"check_access by: sender, table: {Table}");
        await ChangeAsync(policy, "a@x.test OK\n");
        await ChangeAsync(policy, "a@x.test OK\n\nb@x.test jump\n");
        Assert.Equal("permit check_access", await OutcomeAsync(policy));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("permit check_access", await OutcomeAsync(policy));
        var told = Assert.Single(audit.Events.OfType<ServerEvent>());
        Assert.Equal(("access_file", $"{Table}: line 3: no action is called jump; it counts as it was before"), (told.Event, told.Detail));
    }

    private static async Task<string?> LastAsync(RelayPolicy policy) =>
        (await policy.DryRunAsync(Judge.Facts(), Judge.Path("user499999@x.test"), Mailbox.Parse("b@foreign.test"), Ct)).Reply?.ToString();

    private async Task WriteMillionAsync(string action, int lines)
    {
        await using var to = File.CreateText(Table);
        for (var i = 0; i < lines; i++)
            await to.WriteAsync(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"user{i}@x.test {action}\n"));
    }

    private RelayPolicy Policy(string rule) => new(
        new PolicyOptions
        {
            SenderRules = [],
            RecipientRules = [RuleEntry.Parse(rule), "reject_unauth_destination"],
            Classes = System.Collections.Immutable.ImmutableSortedDictionary<string, System.Collections.Immutable.ImmutableArray<RuleEntry>>.Empty.Add("strict", ["reject"]),
        },
        new Judge().Directory,
        audit,
        clock);

    private static async Task<string> OutcomeAsync(RelayPolicy policy) =>
        Judge.Outcome(await policy.DryRunAsync(Judge.Facts(), Judge.Path("a@x.test"), Mailbox.Parse("b@foreign.test"), Ct));


    private async Task ChangeAsync(RelayPolicy policy, string text)
    {
        await File.WriteAllTextAsync(Table, text, Ct);
        clock.Advance(TimeSpan.FromSeconds(1));
        await OutcomeAsync(policy); // sees that it has changed
        clock.Advance(TimeSpan.FromSeconds(1));
    }
}
