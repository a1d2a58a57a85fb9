using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Bounces;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Which category an outcome has; nothing but what is shown and counted follows from it.</summary>
public sealed class BounceTableTests
{
    private static Outcome.Failed Refusal(string reply, string? status = null, bool isVerbatim = true) => new("mx", reply, Tls: null, status ?? "5.0.0")
    {
        Cause = DeliveryCause.Refused,
        Code = int.Parse(reply.AsSpan(0, 3), System.Globalization.CultureInfo.InvariantCulture),
        IsVerbatim = isVerbatim,
    };

    [Theory]
    [InlineData("550-5.1.1 The email account that you tried to reach does not exist. Please try", "5.1.1", "no_such_user")]
    [InlineData("554 delivery error: dd This user doesn't have a yahoo.com account (x@yahoo.com) [0]", null, "no_such_user")]
    [InlineData("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", "5.1.10", "no_such_user")]
    [InlineData("550 5.4.1 Recipient address rejected: Access denied. [x.prod.protection.outlook.com]", "5.4.1", "no_such_user")]
    [InlineData("550 Requested action not taken: mailbox unavailable", null, "no_such_user")]
    [InlineData("450 Requested mail action not taken: mailbox unavailable", null, "refused")]
    [InlineData("556 5.1.10 Recipient address has null MX", "5.1.10", "no_such_domain")]
    [InlineData("452-4.2.2 The email account that you tried to reach is over quota", "4.2.2", "mailbox_full")]
    [InlineData("552 5.2.2 Mailbox full", "5.2.2", "mailbox_full")]
    [InlineData("450-4.2.1 The user you are trying to contact is receiving mail too quickly", "4.2.1", "mailbox_busy")]
    [InlineData("421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating", "4.7.28", "rate_limited")]
    [InlineData("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume", "4.7.0", "reputation")]
    [InlineData("450 4.2.0 <b@x>: Recipient address rejected: Greylisted, see http://postgrey.x/", "4.2.0", "greylisted")]
    [InlineData("550-5.7.26 Your email has been blocked because the sender is unauthenticated.", "5.7.26", "authentication")]
    [InlineData("550-5.7.1 Our system has detected that this message is likely unsolicited mail.", "5.7.1", "spam")]
    [InlineData("550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Part of their network is on our block list (S3150).", "5.7.1", "reputation")]
    [InlineData("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "5.7.1", "reputation")]
    [InlineData("554 Throttling failure: Daily message quota exceeded.", null, "rate_limited")]
    [InlineData("554 Message rejected: Email address is not verified.", null, "sender_refused")]
    [InlineData("554 5.7.1 <b@x>: Relay access denied", "5.7.1", "policy")]
    [InlineData("550 5.7.1 Go away", "5.7.1", "policy")]
    [InlineData("421 Try later", null, "server_busy")]
    [InlineData("554 No", null, "refused")]
    public void A_refusal_has_the_category_of_its_words_or_its_status(string reply, string? status, string category) =>
        Assert.Equal(category, BounceTable.Default.WordOf(Refusal(reply, status)));

    /// <summary>Whatever the words and the status look like: what the queue keeps is decided about as the answer was.</summary>
    [Theory]
    [InlineData("550 5.1.1 Nobody here", "5.1.1")]
    [InlineData("550 4.1.1 Nobody at home", "5.0.0")]
    [InlineData("550 4.1.1 User unknown", "5.0.0")]
    [InlineData("450 5.2.2 Full", "5.2.2")]
    [InlineData("421 Later", null)]
    public void What_the_queue_keeps_of_an_answer_has_the_category_that_the_answer_has(string reply, string? status)
    {
        Outcome outcome = reply[0] == '5' ? Refusal(reply, status) : new Outcome.Deferred("mx", reply, Tls: null, status)
        {
            Cause = DeliveryCause.Refused,
            Code = int.Parse(reply.AsSpan(0, 3), System.Globalization.CultureInfo.InvariantCulture),
            IsVerbatim = true,
        };
        var kept = outcome.ToState(attempt: 3);
        Assert.Equal(BounceTable.Default.WordOf(outcome), BounceTable.Default.WordOf(kept.Answer!, kept.LastReply!));
    }

    [Fact]
    public void What_the_queue_keeps_of_trouble_without_a_reply_has_its_category()
    {
        foreach (var cause in Enum.GetValues<DeliveryCause>().Except([DeliveryCause.None]))
        {
            var outcome = new Outcome.Deferred("mx", "550 5.1.1 no reply of a server", Tls: null) { Cause = cause };
            var kept = outcome.ToState(attempt: 1);
            Assert.Equal(BounceTable.Default.WordOf(outcome), BounceTable.Default.WordOf(kept.Answer!, kept.LastReply!));
        }
    }

    [Fact]
    public void Words_of_this_server_are_not_taken_for_a_receivers() =>
        Assert.Equal("refused", BounceTable.Default.WordOf(Refusal("550 user unknown", isVerbatim: false)));

    [Fact]
    public void The_rows_of_the_operator_come_first_and_may_have_words_of_their_own()
    {
        var table = BounceTable.With(
        [
            new BounceRow("partner_filter") { Status = "x.7.*", Text = "TICKET" },
            new BounceRow("spam") { Code = "554" },
        ]);
        Assert.Equal("partner_filter", table.WordOf(Refusal("554 5.7.1 see ticket 17", "5.7.1")));
        Assert.Equal("spam", table.WordOf(Refusal("554 5.7.1 user unknown", "5.7.1")));
        Assert.Equal("no_such_user", table.WordOf(Refusal("550 user unknown")));
        Assert.Null(table.SentenceOf(Refusal("554 5.7.1 see ticket 17", "5.7.1"), Mailbox.Parse("b@there.test")));
    }

    [Theory]
    [InlineData("5.7.1", "5.7.1", true)]
    [InlineData("5.7.1", "5.7.10", false)]
    [InlineData("5.7.1", "4.7.1", false)]
    [InlineData("x.7.1", "4.7.1", true)]
    [InlineData("5.7.*", "5.7.606", true)]
    [InlineData("5.7.*", "5.70.1", false)]
    public void A_status_fits_a_pattern_part_by_part(string pattern, string status, bool fits)
    {
        Assert.True(BounceRow.IsStatus(pattern));
        Assert.Equal(fits, new BounceRow("spam") { Status = pattern }.Fits(status, 550, "550 no"));
    }

    [Theory]
    [InlineData("5")]
    [InlineData("5.7")]
    [InlineData("2.7.1")]
    [InlineData("5.x.1")]
    [InlineData("5.7.1.2")]
    [InlineData("5.7.1234")]
    public void What_is_no_status_is_no_pattern(string pattern) => Assert.False(BounceRow.IsStatus(pattern));

    [Fact]
    public void Every_row_that_ships_names_a_category_that_ships_and_every_cause_has_one()
    {
        Assert.All(BounceRows.ByText.Concat(BounceRows.ByStatus), static row => Assert.NotNull(BounceCategory.Find(row.Category)));
        Assert.All(BounceRows.ByText.Concat(BounceRows.ByStatus).Where(static row => row.Status is not null), static row => Assert.True(BounceRow.IsStatus(row.Status!)));
        foreach (var cause in Enum.GetValues<DeliveryCause>().Except([DeliveryCause.None]))
        {
            var outcome = new Outcome.Deferred("mx", "no", Tls: null) { Cause = cause };
            Assert.NotNull(BounceTable.Default.SentenceOf(outcome, Mailbox.Parse("b@there.test")));
        }
    }

    [Fact]
    public void No_row_stands_behind_one_that_takes_all_that_it_would_take() =>
        Assert.DoesNotContain(
            BounceRows.ByText.Index(),
            static one => BounceRows.ByText.Take(one.Index).Any(before =>
                before is { Status: null, Code: null } && one.Item.Text!.Contains(before.Text!, StringComparison.Ordinal)));

    /// <summary>POSTERN_WRITE_DOCS=1 writes the tables anew.</summary>
    [Fact]
    public async Task The_page_prints_the_tables_that_decide()
    {
        const string Begin = "<!-- table -->\n\n";
        var path = SourceTree.PathOf("docs/bounces.md");
        var page = (await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).TrimEnd('\n') + "\n";
        var head = page[..(page.IndexOf(Begin.TrimEnd('\n'), StringComparison.Ordinal) + Begin.Length - 1)];
        if (Environment.GetEnvironmentVariable("POSTERN_WRITE_DOCS") == "1")
            await File.WriteAllTextAsync(path, head.TrimEnd('\n') + "\n\n" + BounceTable.ToMarkdown(), TestContext.Current.CancellationToken);
        else
            Assert.Equal((head.TrimEnd('\n') + "\n\n" + BounceTable.ToMarkdown()).Split('\n'), page.Split('\n'));
    }
}
