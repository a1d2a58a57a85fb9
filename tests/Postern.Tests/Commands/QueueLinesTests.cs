using Postern.Commands.Output;
using Postern.Commands.Queue;
using Postern.Relay.Admin;

namespace Postern.Tests.Commands;

/// <summary>The queue in a window of 80 columns: every line fits, and what is cut is cut where it matters least.</summary>
public sealed class QueueLinesTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 30, 8, 12, 5, TimeSpan.Zero);

    private static QueueItem Item(string from, params QueueRecipient[] to) => new()
    {
        Id = "01JD0K3ZQ8Y6X5V4T3S2R1P0NM",
        ArrivedAt = At,
        State = "waiting",
        Sender = from,
        Size = 2310,
        Attempts = 0,
        Recipients = [.. to],
    };

    private static QueueRecipient To(string address, string? reply = null, string status = "pending") => new(address, status, reply, null, null);

    private static string[] Lines(QueueItem item, int width = 80)
    {
        var output = new StringWriter();
        QueueLines.Write(new Terminal(output, TextWriter.Null, TextReader.Null, isInteractive: true, canAsk: false, window: width), [item]);
        return output.ToString().TrimEnd().Split('\n');
    }

    [Fact]
    public void A_message_takes_a_few_lines_that_fit() => Assert.Equal(
        [
            "01JD0K3ZQ8Y6X5V4T3S2R1P0NM  deferred  2026-11-30 08:12:05Z  2310",
            "  lisa@example.org to bob@example.net and 1 more",
            "  3 tries, next 2026-11-30 09:12:05Z",
            "  450 4.2.1 Mailbox busy",
        ],
        Lines(Item("lisa@example.org", To("done@example.net", "250 Ok", "delivered"), To("bob@example.net"), To("x@example.net", "450 4.2.1 Mailbox busy")) with
        {
            State = "deferred",
            Attempts = 3,
            NextAttempt = At.AddHours(1),
        }));

    [Fact]
    public void What_a_message_in_line_waits_for_stands_in_the_place_of_its_next_time() => Assert.Equal(
        [
            "01JD0K3ZQ8Y6X5V4T3S2R1P0NM  waiting  2026-11-30 08:12:05Z  2310",
            "  <> to bob@example.net",
            "  in line: messages 20/h for domain example.net (shaping.yaml:3)",
        ],
        Lines(Item("", To("bob@example.net")) with { NextAttempt = At, WaitsFor = "messages 20/h for domain example.net (shaping.yaml:3)" }));

    [Fact]
    public void Long_addresses_keep_their_domains_and_long_reasons_their_beginning()
    {
        var item = Item(
            "bounce+list-announce==9f2c6d51a7==firstname.lastname@lists.example.org",
            To("IMCEAEX-_O=CORP_OU=FIRST+20ADMINISTRATIVE+20GROUP_CN=LISA@department.example.net", new string('x', 300))) with
        { State = "held (errors here)", Attempts = 12 };

        var lines = Lines(item);

        Assert.Equal("  bounce+list-announ…@lists.example.org to IMCEAEX-_O=CO…@department.example.net", lines[1]);
        Assert.All(lines, static line => Assert.InRange(line.Length, 1, 80));
        Assert.EndsWith("xxx…", lines[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lisa@example.org", 16, "lisa@example.org")]
    [InlineData("lisa@example.org", 15, "li…@example.org")]
    [InlineData("lisa@example.org", 12, "…example.org")]
    [InlineData("lisa@a.very.long.domain.example.org", 12, "…example.org")]
    [InlineData("no-domain-at-all", 8, "…-at-all")]
    public void An_address_is_cut_in_its_name_first(string address, int room, string cut) => Assert.Equal(cut, QueueLines.Cut(address, room));

    [Fact]
    public void A_short_address_leaves_its_room_to_the_other()
    {
        var line = Lines(Item("a@b.test", To("a-rather-long-mailbox-of-many-columns-or-so@department.example.org")))[1];

        Assert.Equal("  a@b.test to a-rather-long-mailbox-of-many-columns-or-so@department.example.org", line);
    }
}
