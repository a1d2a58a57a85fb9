using System.Text;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Smtp.Tests.Client;

public sealed class SmtpClientDialogueTests
{
    private static readonly SmtpClientOptions Options = new() { Hostname = Domain.Parse("client.test") };

    private static async Task<SmtpClientDialogue> OpenAsync(ScriptedSink sink, SmtpClientOptions? options = null)
    {
        var dialogue = await SinkClient.ConnectAsync(sink, options ?? Options);
        Assert.IsType<ClientAnswer.Accepted>(await dialogue.OpenAsync(CancellationToken.None));
        return dialogue;
    }

    private static OutgoingMessage Message(string content, params string[] recipients) =>
        new(new ReversePath(Mailbox.Parse("a@here.test")), [.. recipients.Select(Mailbox.Parse)], new ByteContent(content));

    private static ValueTask<IReadOnlyList<ClientAnswer>> SendAsync(SmtpClientDialogue dialogue, OutgoingMessage message, OutgoingMessage? following = null) =>
        dialogue.SendAsync(message, following, CancellationToken.None);

    [Fact]
    public async Task A_message_arrives_octet_for_octet_and_the_session_goes_on()
    {
        await using var sink = new ScriptedSink();
        await using var dialogue = await OpenAsync(sink);

        Assert.IsType<ClientAnswer.Accepted>((await SendAsync(dialogue, Message("Subject: 1\r\n\r\n.dot\r\n", "b@there.test")))[0]);
        Assert.IsType<ClientAnswer.Accepted>((await SendAsync(dialogue, Message("2\r\n", "c@there.test")))[0]);
        await dialogue.QuitAsync(CancellationToken.None);

        Assert.Equal(["Subject: 1\r\n\r\n.dot\r\n", "2\r\n"], sink.Messages.Select(m => m.Text));
        Assert.Equal("MAIL FROM:<a@here.test> SIZE=20", sink.Messages[0].MailLine);
        Assert.Equal(1, sink.Connections);
        Assert.Contains("C: EHLO client.test", sink.Transcript(0));
        Assert.Contains("C: QUIT", sink.Transcript(0));
    }

    [Fact]
    public async Task Content_of_many_blocks_arrives_whole()
    {
        var octets = new byte[1_000_000];
        new Random(1).NextBytes(octets);
        var text = Convert.ToBase64String(octets, Base64FormattingOptions.InsertLineBreaks) + "\r\n";
        await using var sink = new ScriptedSink();
        await using var dialogue = await OpenAsync(sink);

        var message = Message(string.Empty, "b@there.test") with { Content = new ByteContent(Encoding.ASCII.GetBytes(text), piece: 7001) };
        Assert.IsType<ClientAnswer.Accepted>((await SendAsync(dialogue, message))[0]);

        Assert.Equal(text, sink.Messages[0].Text);
    }

    [Fact]
    public async Task Without_pipelining_each_command_waits_for_its_answer()
    {
        await using var sink = new ScriptedSink(new SinkOptions { Extensions = [] });
        await using var dialogue = await OpenAsync(sink);

        await SendAsync(dialogue, Message("x\r\n", "b@there.test", "c@there.test"));

        Assert.Equal(
            ["C: MAIL FROM:<a@here.test>", "S: 250 2.1.0 Ok", "C: RCPT TO:<b@there.test>", "S: 250 2.1.5 Ok", "C: RCPT TO:<c@there.test>", "S: 250 2.1.5 Ok", "C: DATA", "S: 354 Go ahead", "S: 250 2.0.0 Taken"],
            sink.Transcript(0).Skip(3));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Each_recipient_has_its_own_answer(bool pipelining)
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Extensions = pipelining ? ["PIPELINING"] : [],
            Script = (phase, line, _) => phase != SinkPhase.Rcpt ? null
                : line.Contains("no@") ? new SinkAction.Reply("550 5.1.1 No such user")
                : line.Contains("later@") ? new SinkAction.Reply("451 4.2.1 Later") : null,
        });
        await using var dialogue = await OpenAsync(sink);

        var answers = await SendAsync(dialogue, Message("x\r\n", "no@there.test", "yes@there.test", "later@there.test"));

        Assert.Equal(550, Assert.IsType<ClientAnswer.Refused>(answers[0]).Reply.Code);
        Assert.IsType<ClientAnswer.Accepted>(answers[1]);
        Assert.Equal(451, Assert.IsType<ClientAnswer.Refused>(answers[2]).Reply.Code);
        Assert.Equal(["yes@there.test"], sink.Messages[0].Recipients);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_a_transaction_that_was_given_up_the_next_begins_with_rset(bool pipelining)
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Extensions = pipelining ? ["PIPELINING"] : [],
            Script = (phase, line, _) => phase == SinkPhase.Rcpt && line.Contains("no@") ? new SinkAction.Reply("550 5.1.1 No such user") : null,
        });
        await using var dialogue = await OpenAsync(sink);

        await SendAsync(dialogue, Message("x\r\n", "no@there.test"));
        Assert.IsType<ClientAnswer.Accepted>((await SendAsync(dialogue, Message("y\r\n", "yes@there.test")))[0]);

        Assert.Contains("C: RSET", sink.Transcript(0));
        Assert.Equal("y\r\n", Assert.Single(sink.Messages).Text);
    }

    [Fact]
    public async Task A_go_ahead_without_recipients_gets_an_end_mark_and_nothing_else()
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, _) => phase switch
            {
                SinkPhase.Rcpt => new SinkAction.Reply("550 5.1.1 No such user"),
                SinkPhase.Data => new SinkAction.Reply("354 Go ahead all the same"),
                SinkPhase.EndOfData => new SinkAction.Reply("554 5.5.1 No valid recipients"),
                _ => null,
            },
        });
        await using var dialogue = await OpenAsync(sink);

        var answers = await SendAsync(dialogue, Message("secret\r\n", "no@there.test"));

        Assert.Equal("No such user", Assert.IsType<ClientAnswer.Refused>(answers[0]).Reply.Lines[0]);
        Assert.True(dialogue.IsOpen);
        Assert.Empty(sink.Messages);
    }

    [Fact]
    public async Task Data_accepted_without_a_sender_ends_the_dialogue_before_an_empty_message_is_delivered()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.Mail, new SinkAction.Reply("451 4.3.0 Later")));
        await using var dialogue = await OpenAsync(sink);

        var answers = await SendAsync(dialogue, Message("x\r\n", "b@there.test"));

        Assert.Equal(ClientPhase.Mail, Assert.IsType<ClientAnswer.Refused>(answers[0]).Phase);
        Assert.False(dialogue.IsOpen);
        Assert.Empty(sink.Messages);
    }

    [Fact]
    public async Task A_thousand_recipients_are_sent_in_groups_that_are_answered_in_between()
    {
        await using var sink = new ScriptedSink();
        await using var dialogue = await OpenAsync(sink);
        string[] recipients = [.. Enumerable.Range(0, 1000).Select(i => $"r{i}@there.test")];

        var answers = await SendAsync(dialogue, Message("x\r\n", recipients));

        Assert.All(answers, a => Assert.IsType<ClientAnswer.Accepted>(a));
        Assert.Equal(recipients, sink.Messages[0].Recipients);
    }

    [Fact]
    public async Task A_following_message_is_announced_with_the_end_mark_and_answered_for_itself()
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, _) => phase == SinkPhase.Rcpt && line.Contains("no@") ? new SinkAction.Reply("550 5.1.1 No such user") : null,
        });
        await using var dialogue = await OpenAsync(sink);
        var first = Message("1\r\n", "b@there.test");
        var second = Message("2\r\n", "no@there.test", "yes@there.test");
        var third = Message("3\r\n", "no@there.test");

        Assert.IsType<ClientAnswer.Accepted>((await SendAsync(dialogue, first, second))[0]);
        var answers = await SendAsync(dialogue, second, third);
        Assert.IsType<ClientAnswer.Refused>(answers[0]);
        Assert.IsType<ClientAnswer.Accepted>(answers[1]);
        Assert.IsType<ClientAnswer.Refused>((await SendAsync(dialogue, third))[0]);
        Assert.IsType<ClientAnswer.Accepted>((await SendAsync(dialogue, Message("4\r\n", "b@there.test")))[0]);

        Assert.Equal(["1\r\n", "2\r\n", "4\r\n"], sink.Messages.Select(m => m.Text));
    }

    [Fact]
    public async Task Another_message_than_the_announced_one_is_a_mistake_of_the_caller()
    {
        await using var sink = new ScriptedSink();
        await using var dialogue = await OpenAsync(sink);
        await SendAsync(dialogue, Message("1\r\n", "b@there.test"), Message("2\r\n", "b@there.test"));

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await SendAsync(dialogue, Message("3\r\n", "b@there.test")));
    }

    [Fact]
    public async Task A_message_beyond_the_offered_size_is_refused_without_a_word_to_the_server()
    {
        await using var sink = new ScriptedSink(new SinkOptions { Extensions = ["SIZE 10", "PIPELINING"] });
        await using var dialogue = await OpenAsync(sink);

        var refused = Assert.IsType<ClientAnswer.Refused>((await SendAsync(dialogue, Message("more than ten\r\n", "b@there.test")))[0]);

        Assert.Equal(("552", "5.3.4"), (refused.Reply.Code.ToString(), refused.Reply.Status.ToString()));
        Assert.DoesNotContain(sink.Transcript(0), l => l.StartsWith("C: MAIL", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("8BITMIME", EightBitFallback.SendAsIs, "MAIL FROM:<a@here.test> BODY=8BITMIME")]
    [InlineData("X", EightBitFallback.SendAsIs, "MAIL FROM:<a@here.test>")]
    [InlineData("X", EightBitFallback.Refuse, null)]
    public async Task Eight_bit_content_is_announced_where_it_can_be(string offered, EightBitFallback fallback, string? mail)
    {
        await using var sink = new ScriptedSink(new SinkOptions { Extensions = [offered] });
        await using var dialogue = await OpenAsync(sink, Options with { EightBit = fallback });

        var message = Message("\u00e9\r\n", "b@there.test");
        var answer = (await SendAsync(dialogue, message with { Envelope = message.Envelope with { Parameters = MailParameters.EightBit } }))[0];

        Assert.Equal(mail, sink.Messages.SingleOrDefault()?.MailLine);
        if (mail is null)
            Assert.Equal("5.6.3", Assert.IsType<ClientAnswer.Refused>(answer).Reply.Status.ToString());
        else
            Assert.Equal("\u00e9\r\n", sink.Messages[0].Text);
    }

    [Fact]
    public async Task An_old_server_is_greeted_with_helo()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.Ehlo, new SinkAction.Reply("502 5.5.1 What?")));
        await using var dialogue = await OpenAsync(sink);

        Assert.IsType<ClientAnswer.Accepted>((await SendAsync(dialogue, Message("x\r\n", "b@there.test")))[0]);
        Assert.Equal("MAIL FROM:<a@here.test>", sink.Messages[0].MailLine);
    }

    [Fact]
    public async Task A_421_at_any_command_answers_for_all_and_ends_the_dialogue()
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, _) => phase == SinkPhase.Rcpt && line.Contains("c@") ? new SinkAction.Reply("421 4.3.2 Shutting down") : null,
        });
        await using var dialogue = await OpenAsync(sink);

        var answers = await SendAsync(dialogue, Message("x\r\n", "b@there.test", "c@there.test", "d@there.test"));

        Assert.All(answers, a => Assert.Equal(421, Assert.IsType<ClientAnswer.Refused>(a).Reply.Code));
        Assert.False(dialogue.IsOpen);
    }

    [Theory]
    [InlineData("421 4.7.0 Too many errors")]
    [InlineData(null)]
    public async Task A_sender_refused_for_now_answers_for_all_also_when_the_server_leaves_over_the_recipients(string? lastWords)
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = (phase, line, _) => phase switch
            {
                SinkPhase.Mail => new SinkAction.Reply("451 4.3.0 Later"),
                SinkPhase.Rcpt when line.Contains("d@") => lastWords is null ? new SinkAction.Close() : new SinkAction.Reply(lastWords),
                SinkPhase.Rcpt => new SinkAction.Reply("503 5.5.1 MAIL first"),
                _ => null,
            },
        });
        await using var dialogue = await OpenAsync(sink);

        var answers = await SendAsync(dialogue, Message("x\r\n", "b@there.test", "c@there.test", "d@there.test", "e@there.test"));

        Assert.All(answers, a => Assert.Equal(451, Assert.IsType<ClientAnswer.Refused>(a).Reply.Code));
        Assert.False(dialogue.IsOpen);
    }

    [Fact]
    public async Task Content_that_cannot_be_read_is_never_ended()
    {
        await using var sink = new ScriptedSink();
        await using var dialogue = await OpenAsync(sink);

        await Assert.ThrowsAsync<MessageContentException>(async () =>
            await SendAsync(dialogue, Message(string.Empty, "b@there.test") with { Content = new BrokenContent() }));

        Assert.False(dialogue.IsOpen);
        await dialogue.DisposeAsync();
        await sink.DisposeAsync();
        Assert.Empty(sink.Messages);
    }

    [Fact]
    public async Task A_cancelled_caller_gets_an_exception_and_a_closed_dialogue()
    {
        await using var sink = new ScriptedSink(SinkOptions.At(SinkPhase.EndOfData, new SinkAction.Hang()));
        await using var dialogue = await OpenAsync(sink);
        using var cancel = new CancellationTokenSource();

        var sending = dialogue.SendAsync(Message("x\r\n", "b@there.test"), following: null, cancel.Token).AsTask();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        Assert.False(dialogue.IsOpen);
    }

    /// <summary>Says it has a hundred octets and fails behind the fiftieth.</summary>
    private sealed class BrokenContent : IMessageContent
    {
        public long Length => 100;

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct) =>
            offset < 50 ? new ValueTask<int>(50) : throw new InvalidDataException("damaged");
    }
}
