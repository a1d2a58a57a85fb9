using System.Text;
using Postern.Commands.Sendmail;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Tests.Sendmail;

/// <summary>What a program writes to standard input, and what of it is the message.</summary>
public sealed class LetterInputTests
{
    [Theory]
    [InlineData("a\nb\n", "a\r\nb\r\n")]
    [InlineData("a\r\nb\r\n", "a\r\nb\r\n")]
    [InlineData("a\r\nb", "a\r\nb\r\n")]
    [InlineData("a\n.\nb\n", "a\r\n")]
    [InlineData("a\r\n.\r\nb\r\n", "a\r\n")]
    [InlineData("a\n..\n.b\n", "a\r\n..\r\n.b\r\n")]
    [InlineData("a\r\r\nb\rc\n", "a\r\r\nb\rc\r\n")]
    [InlineData(".\rx\n", ".\rx\r\n")]
    [InlineData(".\r\r\n", ".\r\r\n")]
    [InlineData(".\n", "")]
    [InlineData("", "")]
    public async Task Lines_end_in_crlf_and_a_dot_alone_ends_it_however_it_is_cut(string text, string expected)
    {
        foreach (var piece in (int[])[1, 2, 3, 1000])
            Assert.Equal(expected, await ReadAsync(text, piece, endsAtDot: true));
    }

    [Fact]
    public async Task Without_that_a_dot_alone_is_a_line() => Assert.Equal("a\r\n.\r\nb\r\n", await ReadAsync("a\n.\nb\n", piece: 2, endsAtDot: false));

    [Fact]
    public async Task The_line_of_a_mailbox_file_is_no_part_of_the_message()
    {
        var head = await HeadAsync("From lisa Sun Nov 29 09:00:00 2026\nSubject: x\n\nbody\n");
        Assert.Equal(("Subject: x\r\n", "\r\nbody\r\n"), (Text(head.Section), Text(head.Rest)));
    }

    [Fact]
    public async Task A_message_may_have_no_header_and_no_body()
    {
        var body = await HeadAsync("just a line\n");
        Assert.Equal((string.Empty, "just a line\r\n", false), (Text(body.Section), Text(body.Rest), body.HasFrom));
        var header = await HeadAsync("From: a@example.org\nTo: b@example.org\n");
        Assert.Equal((string.Empty, true), (Text(header.Rest), header.HasFrom));
    }

    [Fact]
    public async Task Fields_of_a_later_sending_stand_for_the_first_ones()
    {
        var found = new List<Mailbox>();
        var head = await HeadAsync("To: a@example.org\nBcc: b@example.org\nResent-To: c@example.org\nResent-Bcc: d@example.org\n\n");
        Assert.True(head.TryReadRecipients(Domain.Parse("example.org"), found, out _));
        Assert.Equal(["c@example.org", "d@example.org"], found.Select(static m => m.Address));
    }

    private static Task<LetterHead> HeadAsync(string text) =>
        LetterHead.ReadAsync(new LetterInput(new MemoryStream(Encoding.UTF8.GetBytes(text)), endsAtDot: true), TestContext.Current.CancellationToken).AsTask();

    private static async Task<string> ReadAsync(string text, int piece, bool endsAtDot)
    {
        var input = new LetterInput(new PieceStream(Encoding.UTF8.GetBytes(text), () => piece), endsAtDot);
        var all = new StringBuilder();
        while (await input.ReadAsync(TestContext.Current.CancellationToken) is { IsEmpty: false } part)
            all.Append(Text(part));
        return all.ToString();
    }

    private static string Text(ReadOnlyMemory<byte> octets) => Encoding.UTF8.GetString(octets.Span);
}
