using System.Text;
using Postern.Smtp.Client;
using Postern.Smtp.Tests.Transcripts;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Tests.Session;

/// <summary>
/// Rows 1 to 6, 9, 10, 11, 12: whatever looks like an end of data and is none, by every way content comes in and however the stream is cut,
/// is one message or one refusal with one reply; nothing behind it runs; and what is stored goes out as one message.
/// </summary>
public sealed class SmugglingTests
{
    private const string Smuggled = "MAIL FROM:<evil@there.test>\r\nRCPT TO:<b@accepted.example>\r\nDATA\r\nsmuggled\r\n";

    private static readonly string[] Terminators =
    [
        "\n.\n", "\n.\r\n", "\n.\r", "\r.\r", "\r.\n", "\r.\r\n", "\r\n.\n", "\r\n.\r",
        "\r\n\0.\r\n", "\r\n.\0\r\n", "\r\0\n.\r\n", "\r\n.\r\0\n", "\0\r\n.\n", "\r\n.\r\r\n", "\r\r\n.\r\r\n", "\n\n.\r\n", "\r\n\r.\r\n", "\n\r.\r\n", "\n\r\n.\n\r\n",
    ];

    public static TheoryData<string, ContentWay> Cells()
    {
        var data = new TheoryData<string, ContentWay>();
        foreach (var terminator in Terminators)
        {
            foreach (var way in Enum.GetValues<ContentWay>())
                data.Add(terminator, way);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task Row_1_a_pseudo_terminator_ends_nothing_however_the_stream_is_cut(string terminator, ContentWay way)
    {
        var content = $"Subject: x\r\n\r\nbody{terminator}{Smuggled}";
        var isData = way is ContentWay.DataReject or ContentWay.DataNormalize;
        var opening = "EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@accepted.example>\r\n" + (isData ? "DATA\r\n" : $"BDAT {content.Length} LAST\r\n");
        var says = Encoding.Latin1.GetBytes(opening + content + (isData ? ".\r\n" : string.Empty) + "QUIT\r\n");
        var expected = Expected(content, way);
        var replies = $"220 250 250 250 {(isData ? "354 " : string.Empty)}{(expected is null ? 554 : 250)} 221";

        for (var cut = 0; cut <= content.Length + 4; cut++)
        {
            // The first round is whole, the last octet by octet.
            int[] cuts = cut == 0 ? [] : cut == content.Length + 4 ? [.. Enumerable.Range(1, says.Length)] : [opening.Length + cut];
            var session = Session(way);
            Assert.Equal(replies, await session.PlayAsync(says, cuts));
            if (expected is null)
            {
                Assert.Empty(session.Store.Messages);
                continue;
            }

            var message = Assert.Single(session.Store.Messages);
            Assert.Equal("a@example.org", message.Sender.Address);
            Assert.Equal(expected, Encoding.Latin1.GetString(message.Content));
        }

        if (expected is not null)
            await GoesOutAsOneMessageAsync(Encoding.Latin1.GetBytes(expected));
    }

    /// <summary>Row 3: the chunks' own edges instead of the stream's.</summary>
    [Theory]
    [MemberData(nameof(Cells))]
    public async Task Row_3_where_chunks_are_cut_changes_nothing(string terminator, ContentWay way)
    {
        if (way is ContentWay.DataReject or ContentWay.DataNormalize)
            way += 2;
        var content = $"Subject: x\r\n\r\nbody{terminator}{Smuggled}";
        var expected = Expected(content, way);
        for (var cut = 0; cut <= content.Length; cut++)
        {
            var session = Session(way);
            var replies = await session.PlayAsync(Encoding.Latin1.GetBytes(
                "EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@accepted.example>\r\n"
                + $"BDAT {cut}\r\n{content[..cut]}BDAT {content.Length - cut} LAST\r\n{content[cut..]}QUIT\r\n"));
            if (expected is null)
            {
                Assert.Contains(replies, (string[])["220 250 250 250 250 554 221", "220 250 250 250 554 503 221"]);
                Assert.Empty(session.Store.Messages);
                continue;
            }

            Assert.Equal("220 250 250 250 250 250 221", replies);
            Assert.Equal(expected, Encoding.Latin1.GetString(Assert.Single(session.Store.Messages).Content));
        }
    }

    private static InMemorySession Session(ContentWay way) => new(
        way is ContentWay.DataNormalize or ContentWay.BdatNormalize ? BareNewlines.Normalize : BareNewlines.Reject,
        way == ContentWay.BdatBinary ? new BinaryPolicy() : null);

    /// <summary>What is to be stored; null: a refusal. Dots come off at the start of lines that open behind CRLF, and only there.</summary>
    private static string? Expected(string content, ContentWay way)
    {
        var isBare = content.Replace("\r\n", string.Empty).AsSpan().ContainsAny('\r', '\n', '\0');
        if (isBare && way is (ContentWay.DataReject or ContentWay.BdatReject))
            return null;
        if (way is ContentWay.DataReject or ContentWay.DataNormalize)
            content = string.Join("\r\n", content.Split("\r\n").Select(static l => l.StartsWith('.') ? l[1..] : l));
        return way is ContentWay.DataNormalize or ContentWay.BdatNormalize
            ? content.Replace("\0", string.Empty).Replace("\r\n", "\n").Replace('\r', '\n').Replace("\n", "\r\n")
            : content;
    }

    /// <summary>Rows 9 and 11: our writer, fed in any pieces, makes wire octets that a server reads as one message, and no bare line end.</summary>
    private static async Task GoesOutAsOneMessageAsync(byte[] content)
    {
        for (var piece = 1; piece <= content.Length; piece++)
        {
            var stuffer = new DotStuffer();
            using var wire = new MemoryStream();
            var octets = new byte[DotStuffer.MaxLength(content.Length) + DotStuffer.FinishLength];
            foreach (var part in content.Chunk(piece))
                wire.Write(octets.AsSpan(0, stuffer.Write(part, octets)));
            wire.Write(octets.AsSpan(0, stuffer.Finish(octets)));
            var text = Encoding.Latin1.GetString(wire.ToArray());
            Assert.False(text.Replace("\r\n", string.Empty).AsSpan().ContainsAny('\r', '\n'));
            Assert.Equal(text.Length - 5, text.IndexOf("\r\n.\r\n", StringComparison.Ordinal));
            if (piece > 1)
                continue;
            var next = new InMemorySession();
            var says = Encoding.Latin1.GetBytes($"EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@accepted.example>\r\nDATA\r\n{text}QUIT\r\n");

            // Binary content is not sent this way; here it is, and one message it is all the same.
            var isTaken = !content.Contains((byte)0);
            Assert.Equal($"220 250 250 250 354 {(isTaken ? 250 : 554)} 221", await next.PlayAsync(says));
            Assert.Equal(isTaken ? 1 : 0, next.Store.Messages.Count);
        }
    }
}
