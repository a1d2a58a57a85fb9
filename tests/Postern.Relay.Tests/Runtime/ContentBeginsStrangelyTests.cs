using System.Globalization;
using System.Net;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.Relay.Audit;
using Postern.Relay.Runtime;
using Postern.Relay.Spool.Memory;
using Postern.Smtp;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Relay.Tests.Runtime;

/// <summary>However the header section begins, or does not: no octet of the content is lost, and none changes its place.</summary>
public sealed class ContentBeginsStrangelyTests
{
    private const string Dated = "From lisa@example.org Sun Nov 29 11:30:16 2026";
    private const string Date = "Date: Fri, 20 Nov 2026 10:05:00 +0000\r\n";
    private const string Id = "Message-ID: <ID@mail.example.org>\r\n";
    private const string Author = "From: a@example.org\r\n";
    private const string Added = Date + Id + Author;

    private static readonly string[] Lines =
    [
        Dated, ">" + Dated, ">>From MAILER-DAEMON  Fri Jul  8 12:08:34 2011", "From lisa", ">From bart", "From now on: nothing", "From : lisa@example.org", "From", "From ",
        "Subject: x", "Date: x", "Message-ID: <1>", "X-Mailbox-Line: x", "a:", " folded", "\tfolded", " ", "", "no colon", ": no name", "two words: x", "\u00ef\u00bb\u00bfSubject: x", ".", "..",
    ];

    private readonly MemorySpool spool = new();
    private readonly ManualClock clock = new(new DateTimeOffset(2026, 11, 20, 10, 5, 0, TimeSpan.Zero));

    [Theory]
    [InlineData(Dated + "\r\nSubject: x\r\n\r\nbody\r\n", "X-Mailbox-Line: " + Dated + "\r\nSubject: x\r\n" + Added + "\r\nbody\r\n")]
    [InlineData(">" + Dated + "\r\nSubject: x\r\n\r\nbody\r\n", "X-Mailbox-Line: >" + Dated + "\r\nSubject: x\r\n" + Added + "\r\nbody\r\n")]
    [InlineData(Dated + "\r\n" + Dated + "\r\nSubject: x\r\n\r\n", "X-Mailbox-Line: " + Dated + "\r\nX-Mailbox-Line: " + Dated + "\r\nSubject: x\r\n" + Added + "\r\n")]
    [InlineData("From lisa\r\nSubject: x\r\n\r\n", "X-Mailbox-Line: From lisa\r\nSubject: x\r\n" + Added + "\r\n")]
    [InlineData(Dated + "\r\n\r\nbody\r\n", "X-Mailbox-Line: " + Dated + "\r\n" + Added + "\r\nbody\r\n")]
    [InlineData(Dated + "\r\nbody\r\n", "X-Mailbox-Line: " + Dated + "\r\n" + Added + "\r\nbody\r\n")]
    [InlineData(Dated + "\r\n folded\r\nSubject: x\r\n\r\n", "X-Mailbox-Line: " + Dated + "\r\n folded\r\nSubject: x\r\n" + Added + "\r\n")]
    [InlineData(Dated + "\r\n", "X-Mailbox-Line: " + Dated + "\r\n" + Added + "\r\n")]
    [InlineData("From 10:30 on we meet\r\nin the garden\r\n", Added + "\r\nFrom 10:30 on we meet\r\nin the garden\r\n")]
    [InlineData("From now on\r\n\r\nSubject: x\r\n", Added + "\r\nFrom now on\r\n\r\nSubject: x\r\n")]
    [InlineData("From : lisa@example.org\r\nSubject: x\r\n\r\n", "From : lisa@example.org\r\nSubject: x\r\n" + Date + Id + "\r\n")]
    [InlineData("Subject: x\r\n" + Dated + "\r\n\r\n", "Subject: x\r\n" + Added + "\r\n" + Dated + "\r\n\r\n")]
    [InlineData("just text\r\n", Added + "\r\njust text\r\n")]
    [InlineData("\r\nSubject: x\r\n\r\nbody\r\n", Added + "\r\nSubject: x\r\n\r\nbody\r\n")]
    [InlineData("\r\n" + Dated + "\r\n", Added + "\r\n" + Dated + "\r\n")]
    [InlineData(" folded\r\nSubject: x\r\n\r\nbody\r\n", Added + "\r\n folded\r\nSubject: x\r\n\r\nbody\r\n")]
    [InlineData("no colon\r\nSubject: x\r\n\r\nbody\r\n", Added + "\r\nno colon\r\nSubject: x\r\n\r\nbody\r\n")]
    [InlineData("Subject: x\r\nno colon\r\nTo: y\r\n\r\nbody\r\n", "Subject: x\r\n" + Added + "\r\nno colon\r\nTo: y\r\n\r\nbody\r\n")]
    [InlineData(": no name\r\nSubject: x\r\n", Added + "\r\n: no name\r\nSubject: x\r\n")]
    [InlineData("\u00ef\u00bb\u00bfSubject: x\r\n\r\nbody\r\n", Added + "\r\n\u00ef\u00bb\u00bfSubject: x\r\n\r\nbody\r\n")]
    [InlineData("", Added + "\r\n")]
    public async Task Every_shape_of_a_broken_beginning_has_one_result(string content, string expected)
    {
        foreach (var isBdat in new[] { false, true })
        {
            for (var piece = 1; piece < 40; piece += piece < 4 ? 1 : 9)
                Assert.Equal(expected, await SendAsync(content, isBdat, piece));
        }
    }

    [Fact]
    public void Nothing_of_the_content_moves_or_is_lost_by_DATA_or_BDAT_however_it_begins()
    {
        var contents = from lines in Gen.Elements(Lines).ArrayOf() from isBdat in Gen.Elements(false, true) from cut in Gen.Choose(0, 12) from piece in Gen.Choose(1, 60) select (lines, isBdat, cut, piece);
        Prop.ForAll(contents.ToArbitrary(), async c =>
        {
            var content = string.Concat(c.lines.Select(static l => l + "\r\n"));
            if (c.isBdat)
                content = content[..Math.Max(0, content.Length - c.cut)].TrimEnd('\r'); // ends inside a line, and not inside of its end
            Assert.Equal(Expected(content), await SendAsync(content, c.isBdat, c.piece));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Fact]
    public async Task So_many_lines_of_a_mailbox_file_are_named_and_the_next_begins_the_body()
    {
        var lines = string.Concat(Enumerable.Repeat(Dated + "\r\n", MailboxLine.Most + 3));
        Assert.Equal(
            string.Concat(Enumerable.Repeat($"X-Mailbox-Line: {Dated}\r\n", MailboxLine.Most)) + Added + "\r\n" + string.Concat(Enumerable.Repeat(Dated + "\r\n", 3)),
            await SendAsync(lines, isBdat: false, piece: 1000));
    }

    /// <summary>The rules once more, on whole lines.</summary>
    private static string Expected(string content)
    {
        var lines = content.Split("\r\n").ToList();
        var isCut = lines[^1].Length > 0;
        if (!isCut)
            lines.RemoveAt(lines.Count - 1);
        var head = new StringBuilder();
        var at = 0;
        while (at < lines.Count && IsMailboxLine(lines, at))
            head.Append("X-Mailbox-Line: ").Append(lines[at++]).Append("\r\n");
        for (; at < lines.Count && (IsField(lines[at]) || (head.Length > 0 && lines[at].StartsWith(' ')) || (head.Length > 0 && lines[at].StartsWith('\t'))); at++)
            head.Append(lines[at]).Append("\r\n");
        var body = string.Join("\r\n", lines[at..]) + (at < lines.Count && !isCut ? "\r\n" : string.Empty);
        var fields = head.ToString().Split("\r\n").Where(static l => !l.StartsWith(' ') && !l.StartsWith('\t')).ToList();
        var missing = string.Concat(new[] { Date, Id, Author }.Where(added => !fields.Any(f => NameOf(f) == NameOf(added))));
        return head + missing + (body.StartsWith("\r\n", StringComparison.Ordinal) ? string.Empty : "\r\n") + body;
    }

    private static bool IsMailboxLine(List<string> lines, int at) =>
        lines[at].TrimStart('>').StartsWith("From ", StringComparison.Ordinal) && !IsField(lines[at])
        && (lines[at].Contains("Nov 29 1", StringComparison.Ordinal) || lines[at].Contains("Jul  8 12:", StringComparison.Ordinal) || (at + 1 < lines.Count && IsField(lines[at + 1])));

    private static string NameOf(string line) =>
        line.Contains(':', StringComparison.Ordinal) ? line[..line.IndexOf(':', StringComparison.Ordinal)].TrimEnd(' ', '\t') : string.Empty;

    private static bool IsField(string line)
    {
        var name = NameOf(line);
        return name.Length > 0 && !name.AsSpan().ContainsAnyExceptInRange('!', '~');
    }

    /// <summary>What is stored behind our trace field, with the queue id as ID.</summary>
    private async Task<string> SendAsync(string content, bool isBdat, int piece)
    {
        var options = new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None };
        var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org", Listeners = [options], Policy = new TestPolicy(), Store = new SubmissionStore(spool, NoAuditLog.Instance, clock), Clock = clock,
        });
        var stuffed = string.Join("\r\n", content.Split("\r\n").Select(static l => l.StartsWith('.') ? "." + l : l));
        var says = "EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@accepted.example>\r\n"
            + (isBdat ? $"BDAT {content.Length.ToString(CultureInfo.InvariantCulture)} LAST\r\n{content}" : $"DATA\r\n{stuffed}.\r\n") + "QUIT\r\n";
        using var stream = new PieceStream(Encoding.Latin1.GetBytes(says), () => piece, 100_000);
        await server.HoldAsync(stream, options, IPAddress.Loopback);

        var entry = Assert.Single(spool.List());
        using var opened = spool.OpenContent(entry.Envelope.Id)!;
        var octets = new byte[opened.Length];
        Assert.Equal(octets.Length, await opened.ReadAsync(0, octets, CancellationToken.None));
        spool.Remove(entry.Envelope.Id);
        var stored = Encoding.Latin1.GetString(octets).Replace(entry.Envelope.Id.ToString(), "ID", StringComparison.Ordinal);
        Assert.StartsWith("Received: from c ", stored, StringComparison.Ordinal);
        const string End = "Fri, 20 Nov 2026 10:05:00 +0000\r\n";
        return stored[(stored.IndexOf(End, StringComparison.Ordinal) + End.Length)..];
    }
}
