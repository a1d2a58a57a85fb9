using System.Text;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Smtp.Tests.Client;

/// <summary>Several messages on their way before the first is answered, to servers that keep step with that and to those that do not.</summary>
public sealed class TransactionGroupTests
{
    private const string Greeting = "220 there.test\r\n250-there.test\r\n250-PIPELINING\r\n250-SIZE 100000\r\n250 CHUNKING\r\n";
    private const string Taken = "250 reset\r\n250 from\r\n250 to\r\n250 taken\r\n";

    private static readonly SmtpClientOptions Options = new() { Hostname = Domain.Parse("client.test"), Tls = ClientTls.None };

    [Fact]
    public async Task All_messages_are_written_at_once_and_each_has_its_own_answer()
    {
        var (group, heard) = await SendAsync(Taken + "250 reset\r\n250 from\r\n250 to\r\n452 4.3.1 full\r\n" + Taken, 3);

        Assert.Equal(3, group.Result.Sent);
        Assert.Null(group.Result.Trouble);
        Assert.Equal(["0 taken", "1 refused EndOfData 452", "2 taken"], group.Told);
        Assert.Equal(
            string.Concat(Enumerable.Range(0, 3).Select(static i =>
                $"RSET\r\nMAIL FROM:<a{i}@here.test> SIZE=20\r\nRCPT TO:<b{i}@there.test>\r\nBDAT 20 LAST\r\nSubject: {i}\r\n\r\n.\r\nx\r\n")),
            heard);
    }

    [Theory]
    [InlineData("250 reset\r\n550 5.1.8 from\r\n503 to\r\n503 chunk\r\n", "0 refused Mail 550")]
    [InlineData("250 reset\r\n250 from\r\n550 5.1.1 to\r\n503 chunk\r\n", "0 refused Rcpt 550")]
    [InlineData("250 reset\r\n250 from\r\n450 4.1.1 to\r\n250 taken\r\n", "0 refused Rcpt 450")]
    [InlineData("250 reset\r\n250 from\r\n250 to\r\n552 5.3.4 large\r\n", "0 refused EndOfData 552")]
    [InlineData("250 reset\r\n450 from\r\n250 to\r\n250 taken\r\n", "0 taken")]       // whatever it said to MAIL: it says that it has the message
    public async Task A_refusal_is_one_messages_own(string first, string told)
    {
        var (group, _) = await SendAsync(first + Taken, 2);

        Assert.Equal([told, "1 taken"], group.Told);
        Assert.Null(group.Result.Trouble);
    }

    [Fact]
    public async Task Recipients_of_one_message_have_their_own_answers()
    {
        await using var peer = new Peer("250 reset\r\n250 from\r\n250 to\r\n550 5.1.1 to\r\n250 to\r\n250 taken\r\n");
        var message = new OutgoingMessage(
            new ReversePath(Mailbox.Parse("a@here.test")),
            [Mailbox.Parse("b@there.test"), Mailbox.Parse("c@there.test"), Mailbox.Parse("d@there.test")],
            new ByteContent("x\r\n"));

        var told = await peer.SendAsync([message]);

        Assert.Equal(["0 taken, refused Rcpt 550, taken"], told.Told);
    }

    [Theory]
    [InlineData("421 4.3.2 going\r\n", "refused Mail 421")]
    [InlineData("250 reset\r\n421 4.3.2 going\r\n", "refused Mail 421")]
    [InlineData("250 reset\r\n250 from\r\n421 4.3.2 going\r\n", "refused Rcpt 421")]
    [InlineData("250 reset\r\n250 from\r\n250 to\r\n421 4.3.2 going\r\n", "refused EndOfData 421")]
    public async Task Who_leaves_and_says_so_has_nothing_of_what_is_behind(string second, string told)
    {
        var (group, _) = await SendAsync(Taken + second, 4);

        Assert.Equal(["0 taken", $"1 {told}"], group.Told);
        Assert.Equal(4, group.Result.Sent);
        Assert.Null(group.Result.Trouble);
        Assert.False(group.IsOpen);
    }

    [Fact]
    public async Task Who_says_that_it_leaves_and_goes_on_to_answer_has_what_it_says_it_has()
    {
        var (group, _) = await SendAsync("250 reset\r\n421 4.7.0 later\r\n503 to\r\n503 chunk\r\n" + Taken, 3);

        Assert.Equal(["0 refused Mail 421", "1 taken"], group.Told);
    }

    [Theory]
    [InlineData("")]
    [InlineData("250 reset\r\n")]
    [InlineData("250 reset\r\n250 from\r\n250 to\r\n")]
    public async Task Where_the_connection_is_lost_all_that_was_written_may_have_been_delivered(string second)
    {
        var (group, _) = await SendAsync(Taken + second, 3);

        Assert.Equal(["0 taken", "1 broken EndOfData ConnectionLost", "2 broken EndOfData ConnectionLost"], group.Told);
        Assert.NotNull(group.Result.Trouble);
    }

    [Fact]
    public async Task A_refusal_that_was_read_before_the_connection_is_lost_stands()
    {
        var (group, _) = await SendAsync("250 reset\r\n550 5.1.8 from\r\n503 to\r\n", 2);

        Assert.Equal(["0 refused Mail 550", "1 broken EndOfData ConnectionLost"], group.Told);
    }

    [Theory]
    [InlineData("250 reset\r\n250 from\r\ngarbage\r\n")]
    [InlineData("250 reset\r\n250 from\r\n250 to\r\n354 go on\r\n")]
    public async Task Who_loses_step_may_have_all_that_is_behind(string second)
    {
        var (group, _) = await SendAsync(Taken + second + Taken, 3);

        Assert.Equal(["0 taken", "1 broken EndOfData ProtocolError", "2 broken EndOfData ProtocolError"], group.Told);
        Assert.NotNull(group.Result.Trouble);
    }

    [Theory]
    [InlineData("250 reset\r\n250 from\r\n250 to\r\n502 5.5.1 no BDAT\r\n")]
    [InlineData("503 reset\r\n503 5.5.1 nested MAIL\r\n250 to\r\n503 5.5.1 chunk\r\n")]
    [InlineData("250 reset\r\n503 too early\r\n503 to\r\n503 chunk\r\n")]
    [InlineData("250 reset\r\n554 5.5.0 synchronization\r\n503 to\r\n503 chunk\r\n")]
    public async Task A_verb_that_is_refused_is_no_verdict_on_the_message(string first)
    {
        var (group, _) = await SendAsync(first + Taken, 2);

        Assert.Equal(["1 taken"], group.Told);
        Assert.NotNull(group.Result.Trouble);
        // There may be more answers than commands.
        Assert.False(group.IsOpen);
    }

    [Fact]
    public async Task What_the_server_still_says_counts_where_the_write_failed()
    {
        await using var peer = new Peer(Taken + "250 reset\r\n421 4.3.2 going\r\n") { FailsToWrite = static octets => octets.Span.IndexOf("BDAT 20"u8) >= 0 };

        var told = await peer.SendAsync(Messages(3));

        Assert.Equal(["0 taken", "1 refused Mail 421"], told.Told);
    }

    [Theory]
    [InlineData("bare LF\nhere\r\n")]
    [InlineData("bare CR\rhere\r\n")]
    [InlineData("no end of the last line")]
    [InlineData("CR at the end\r")]
    [InlineData("")]
    public async Task Content_that_is_to_be_mended_goes_alone(string content)
    {
        await using var peer = new Peer(Taken + Taken);
        var messages = Messages(3);
        messages[1] = messages[1] with { Content = new ByteContent(content) };

        var told = await peer.SendAsync(messages);

        Assert.Equal(1, told.Result.Sent);
        Assert.Equal(["0 taken"], told.Told);
        Assert.DoesNotContain("a1@", peer.Heard, StringComparison.Ordinal);
        Assert.Equal(0, (await peer.SendAsync([.. messages.Skip(1)])).Result.Sent);
    }

    [Fact]
    public async Task What_is_large_binary_or_not_for_this_server_goes_alone()
    {
        var plain = Messages(1)[0];
        OutgoingMessage[] alone =
        [
            plain with { Content = new ByteContent(new string('x', 64 * 1024) + "\r\n") },
            plain with { Envelope = plain.Envelope with { Parameters = new MailParameters { Body = BodyType.BinaryMime } } },
            plain with { HasUtf8Header = true },
            plain with { Envelope = new SmtpEnvelope(plain.Sender, [.. Enumerable.Range(0, 101).Select(static i => Mailbox.Parse($"b{i}@there.test"))]) },
            plain with { Content = new Unreadable() },
        ];
        await using var peer = new Peer("");

        foreach (var message in alone)
            Assert.Equal(0, (await peer.SendAsync([message, plain])).Result.Sent);

        Assert.Empty(peer.Heard);
    }

    [Fact]
    public async Task A_message_after_a_group_begins_with_a_reset()
    {
        await using var peer = new Peer(Taken + "250 reset\r\n250 from\r\n250 to\r\n354 go on\r\n250 taken\r\n");
        await peer.SendAsync(Messages(1));

        Assert.IsType<ClientAnswer.Accepted>((await peer.Dialogue.SendAsync(Messages(1)[0], following: null, CancellationToken.None))[0]);

        Assert.Equal(2, peer.Heard.Split("RSET\r\nMAIL").Length - 1);
    }

    [Fact]
    public async Task Nothing_is_written_of_a_group_that_was_called_off()
    {
        await using var peer = new Peer(Taken);
        using var revoked = new CancellationTokenSource();
        var content = new CallsOff(revoked);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await peer.SendAsync([Messages(1)[0] with { Content = content, Revoked = revoked.Token }]));

        Assert.Empty(peer.Heard);
    }

    [Fact]
    public async Task A_server_that_passes_over_a_refused_chunk_is_proven()
    {
        await using var sink = new ScriptedSink(new SinkOptions { Extensions = ["PIPELINING", "CHUNKING"] });
        await using var dialogue = await SinkClient.ConnectAsync(sink, Options);
        await dialogue.OpenAsync(CancellationToken.None);

        Assert.True(dialogue.OffersGroups);
        Assert.True(await dialogue.ProveGroupsAsync(CancellationToken.None));
        Assert.True(dialogue.IsOpen);
        Assert.IsType<ClientAnswer.Accepted>((await dialogue.SendAsync(Messages(1)[0], following: null, CancellationToken.None))[0]);
    }

    [Theory]
    [InlineData(true, "")]                                // it obeys what stands in the chunk: QUIT
    [InlineData(false, "250 2.0.0 Taken")]
    [InlineData(false, "421 4.3.2 going")]
    public async Task One_that_does_not_is_not(bool obeys, string chunk)
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Extensions = ["PIPELINING", "CHUNKING"],
            TakesRefusedChunksForCommands = obeys,
            Script = (phase, _, _) => phase == SinkPhase.Chunk ? new SinkAction.Reply(chunk) : null,
        });
        await using var dialogue = await SinkClient.ConnectAsync(sink, Options);
        await dialogue.OpenAsync(CancellationToken.None);

        Assert.False(await dialogue.ProveGroupsAsync(CancellationToken.None));
        Assert.False(dialogue.IsOpen);
        Assert.Equal(obeys, sink.Transcript(0).Contains("C: QUIT"));
    }

    [Fact]
    public async Task Groups_need_pipelining_and_chunks_and_no_lmtp()
    {
        foreach (var (extensions, isLmtp) in new[] { ("PIPELINING", false), ("CHUNKING", false), ("PIPELINING CHUNKING", true) })
        {
            await using var sink = new ScriptedSink(new SinkOptions { Extensions = extensions.Split(' ') });
            await using var dialogue = await SinkClient.ConnectAsync(sink, Options with { IsLmtp = isLmtp });
            await dialogue.OpenAsync(CancellationToken.None);

            Assert.False(dialogue.OffersGroups);
        }
    }

    private static OutgoingMessage[] Messages(int count) =>
    [
        .. Enumerable.Range(0, count).Select(static i => new OutgoingMessage(
            new ReversePath(Mailbox.Parse($"a{i}@here.test")), [Mailbox.Parse($"b{i}@there.test")], new ByteContent($"Subject: {i}\r\n\r\n.\r\nx\r\n"))),
    ];

    private static async Task<(Group Group, string Heard)> SendAsync(string says, int count)
    {
        await using var peer = new Peer(says);
        return (await peer.SendAsync(Messages(count)), peer.Heard);
    }

    private sealed record Group(GroupResult Result, string[] Told, bool IsOpen);

    /// <summary>A server that says what it says, whatever it hears.</summary>
    private sealed class Peer : IAsyncDisposable
    {
        private readonly ScriptedStream stream;
        private int introduced = -1;

        public Peer(string says)
        {
            stream = new ScriptedStream(Encoding.Latin1.GetBytes(Greeting + says), piece: 7) { WriteFailure = Failure };
            Dialogue = new SmtpClientDialogue(stream, Options);
        }

        public SmtpClientDialogue Dialogue { get; }

        public Func<ReadOnlyMemory<byte>, bool> FailsToWrite { get; init; } = static _ => false;

        /// <summary>Behind EHLO.</summary>
        public string Heard => Encoding.Latin1.GetString(stream.Heard.ToArray())[introduced..];

        public async Task<Group> SendAsync(OutgoingMessage[] messages)
        {
            if (introduced < 0)
            {
                Assert.IsType<ClientAnswer.Accepted>(await Dialogue.OpenAsync(CancellationToken.None));
                introduced = (int)stream.Heard.Length;
            }

            var told = new List<string>();
            var result = await Dialogue.SendGroupAsync(messages, (i, answers) => told.Add($"{i} {string.Join(", ", answers.Select(Word))}"), CancellationToken.None);
            return new Group(result, [.. told], Dialogue.IsOpen);
        }

        public ValueTask DisposeAsync() => Dialogue.DisposeAsync();

        private IOException? Failure(ReadOnlyMemory<byte> octets) => FailsToWrite(octets) ? new IOException("gone") : null;

        private static string Word(ClientAnswer answer) => answer switch
        {
            ClientAnswer.Accepted => "taken",
            ClientAnswer.Refused(var phase, var reply) => $"refused {phase} {reply.Code}",
            ClientAnswer.Broken(var phase, var fault, _) => $"broken {phase} {fault}",
            _ => "?",
        };
    }

    private sealed class Unreadable : IMessageContent
    {
        public long Length => 10;

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct) => throw new IOException("the disk");
    }

    private sealed class CallsOff(CancellationTokenSource source) : IMessageContent
    {
        public long Length => 3;

        public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct)
        {
            await source.CancelAsync();
            "x\r\n"u8.CopyTo(buffer.Span);
            return 3;
        }
    }
}
