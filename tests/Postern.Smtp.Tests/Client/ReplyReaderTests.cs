using System.Text;
using Postern.Smtp.Replies;

namespace Postern.Smtp.Tests.Client;

public sealed class ReplyReaderTests
{
    private static readonly int[] Pieces = [1, 2, 3, 7, 4096];

    private static async Task<ReplyRead> ReadAsync(string octets, int piece = 4096, ReplyLimits? limits = null) =>
        await new ReplyReader(new ScriptedStream(Encoding.Latin1.GetBytes(octets), piece), limits ?? ReplyLimits.Default).ReadAsync(CancellationToken.None);

    [Fact]
    public async Task Replies_read_the_same_however_the_octets_are_cut()
    {
        const string Said = "220 mx.test ESMTP\r\n250-mx.test\r\n250-SIZE 100\r\n250 PIPELINING\r\n550 5.1.1 No such user\r\n354\r\n";
        foreach (var piece in Pieces)
        {
            var reader = new ReplyReader(new ScriptedStream(Encoding.ASCII.GetBytes(Said), piece), ReplyLimits.Default);
            var read = new List<string>();
            for (var i = 0; i < 4; i++)
                read.Add((await reader.ReadAsync(CancellationToken.None)).Reply!.ToString());

            Assert.Equal(["220 mx.test ESMTP", "250 mx.test / SIZE 100 / PIPELINING", "550 5.1.1 No such user", "354 "], read);
            Assert.Equal(ReplyFault.Lost, (await reader.ReadAsync(CancellationToken.None)).Fault);
        }
    }

    [Fact]
    public async Task The_enhanced_status_is_taken_from_the_text_only_when_its_class_fits()
    {
        Assert.Equal(new EnhancedStatus(4, 2, 1), (await ReadAsync("450 4.2.1 later\r\n")).Reply!.Status);
        var odd = (await ReadAsync("250 5.1.1 odd\r\n")).Reply!;
        Assert.Null(odd.Status);
        Assert.Equal("5.1.1 odd", odd.Lines[0]);
    }

    [Theory]
    [InlineData("250-one\r\n251 two\r\n")]
    [InlineData("250-one\r\n550-two\r\n550 three\r\n")]
    [InlineData("250 bare newline\n")]
    [InlineData("250 carriage\rreturn\r\n")]
    [InlineData("hello\r\n")]
    [InlineData("25\r\n")]
    [InlineData("199 no\r\n")]
    [InlineData("600 no\r\n")]
    [InlineData("2x0 no\r\n")]
    [InlineData("250_no\r\n")]
    [InlineData("\r\n")]
    [InlineData("\0\0\0\r\n")]
    public async Task What_is_no_reply_is_malformed(string octets)
    {
        foreach (var piece in Pieces)
            Assert.Equal(ReplyFault.Malformed, (await ReadAsync(octets, piece)).Fault);
    }

    [Theory]
    [InlineData("", "connection closed")]
    [InlineData("25", "connection closed within a reply")]
    [InlineData("250-one\r\n", "connection closed within a reply")]
    [InlineData("250-one\r\n250-two\r\n", "connection closed within a reply")]
    public async Task A_reply_that_is_cut_off_is_lost(string octets, string detail)
    {
        var read = await ReadAsync(octets, piece: 1);
        Assert.Equal((ReplyFault.Lost, detail), (read.Fault, read.Detail));
    }

    [Fact]
    public async Task A_line_a_reply_and_a_count_of_lines_without_end_are_each_stopped_at_their_limit()
    {
        var limits = new ReplyLimits(LineOctets: 64, Lines: 4, TotalOctets: 150);
        Assert.Equal("a reply line is longer than 64 octets", (await ReadAsync(new string('2', 10_000), 50, limits)).Detail);
        Assert.Equal("a reply line is longer than 64 octets", (await ReadAsync("250 " + new string('x', 59) + "\r\n", 4096, limits)).Detail);
        Assert.Equal("the reply has more than 4 lines", (await ReadAsync(string.Concat(Enumerable.Repeat("250-a\r\n", 9)), 4096, limits)).Detail);
        Assert.Equal("the reply is longer than 150 octets", (await ReadAsync(string.Concat(Enumerable.Repeat("250-" + new string('y', 50) + "\r\n", 9)), 4096, limits)).Detail);
        Assert.NotNull((await ReadAsync("250 " + new string('x', 58) + "\r\n", 4096, limits)).Reply);
    }

    [Fact]
    public async Task Control_characters_in_a_reply_do_not_come_through()
    {
        var reply = (await ReadAsync("550 no\u0007 \u001b[31m\0 \u00e9\r\n")).Reply!;
        Assert.Equal("no? ?[31m? ?", reply.Lines[0]);
    }

    [Fact]
    public async Task Octets_behind_a_reply_are_seen()
    {
        var reader = new ReplyReader(new ScriptedStream("220 go\r\n250-evil\r\n"u8.ToArray(), 4096), ReplyLimits.Default);
        await reader.ReadAsync(CancellationToken.None);
        Assert.True(reader.HasBufferedInput);
    }
}
