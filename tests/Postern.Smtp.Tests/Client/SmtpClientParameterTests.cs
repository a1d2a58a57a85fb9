using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Smtp.Tests.Client;

/// <summary>What the client says of a message to servers with and without each extension, and what it does not give away.</summary>
public sealed class SmtpClientParameterTests
{
    private static readonly SmtpClientOptions Options = new() { Hostname = Domain.Parse("client.test"), ServerName = "sink.test" };

    private static readonly MailParameters Dsn = new() { Return = DsnReturn.Headers, EnvelopeId = "QQ 1" };

    private static OutgoingMessage Message(MailParameters parameters, string content = "Subject: x\r\n\r\nbody\r\n") =>
        new(new SmtpEnvelope(new ReversePath(Mailbox.Parse("a@here.test")), [Mailbox.Parse("b@there.test")]) { Parameters = parameters }, new ByteContent(content));

    private static async Task<(ClientAnswer Answer, SinkMessage? Message, string Transcript)> SendAsync(SinkOptions sinkOptions, OutgoingMessage message, SmtpClientOptions? options = null)
    {
        await using var sink = new ScriptedSink(sinkOptions);
        await using var dialogue = await SinkClient.ConnectAsync(sink, options ?? Options);
        Assert.IsType<ClientAnswer.Accepted>(await dialogue.OpenAsync(CancellationToken.None));
        var answer = (await dialogue.SendAsync(message, following: null, CancellationToken.None))[0];
        await dialogue.QuitAsync(CancellationToken.None);
        return (answer, sink.Messages.SingleOrDefault(), string.Join('\n', sink.Transcript(0)));
    }

    private static SinkOptions Offering(params string[] extensions) => new() { Extensions = extensions };

    [Theory]
    [InlineData("DSN", "MAIL FROM:<a@here.test> RET=HDRS ENVID=QQ+201", "RCPT TO:<b@there.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;first+2Bb@there.test")]
    [InlineData("PIPELINING DSN", "MAIL FROM:<a@here.test> RET=HDRS ENVID=QQ+201", "RCPT TO:<b@there.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;first+2Bb@there.test")]
    [InlineData("PIPELINING", "MAIL FROM:<a@here.test>", "RCPT TO:<b@there.test>")]
    public async Task Dsn_goes_on_where_it_is_offered(string offered, string mail, string rcpt)
    {
        var message = Message(Dsn);
        message = message with { Envelope = message.Envelope with { RecipientParameters = [new() { Notify = DsnNotify.Success | DsnNotify.Delay, OriginalRecipient = new OriginalRecipient("rfc822", "first+b@there.test") }] } };
        var (answer, taken, _) = await SendAsync(Offering(offered.Split(' ')), message);
        Assert.IsType<ClientAnswer.Accepted>(answer);
        Assert.Equal((mail, rcpt), (taken!.MailLine, taken.RcptLines.Single()));
    }

    [Fact]
    public async Task Who_submitted_a_message_is_not_told_to_servers_that_do_not_know_this_client()
    {
        var (_, taken, _) = await SendAsync(Offering("AUTH PLAIN"), Message(new MailParameters { SubmittedBy = new ReversePath(Mailbox.Parse("lisa@here.test")) }));
        Assert.Equal("MAIL FROM:<a@here.test>", taken!.MailLine);
    }

    [Theory]
    [InlineData("SMTPUTF8", true, "MAIL FROM:<a@here.test> SMTPUTF8")]
    [InlineData("SMTPUTF8", false, "MAIL FROM:<a@here.test> SMTPUTF8")]
    [InlineData("8BITMIME", false, "MAIL FROM:<a@here.test>")]
    [InlineData("8BITMIME", true, null)]
    public async Task Internationalized_mail_needs_a_server_that_takes_it(string offered, bool hasUtf8Header, string? mail)
    {
        var (answer, taken, _) = await SendAsync(Offering(offered), Message(new MailParameters { IsUtf8 = true }) with { HasUtf8Header = hasUtf8Header });
        Assert.Equal(mail, taken?.MailLine);
        if (mail is null)
            Assert.Equal("5.6.7", Assert.IsType<ClientAnswer.Refused>(answer).Reply.Status?.ToString());
    }

    [Theory]
    [InlineData(false, "DELIVERBY", "MAIL FROM:<a@here.test> BY=59;R")]
    [InlineData(true, "DELIVERBY", "MAIL FROM:<a@here.test> BY=59;N")]
    [InlineData(true, "DSN", "MAIL FROM:<a@here.test>")]
    [InlineData(false, "DSN", null)]
    public async Task A_deadline_goes_on_or_the_message_stays(bool isNotify, string offered, string? mail)
    {
        var (answer, taken, _) = await SendAsync(Offering(offered), Message(new MailParameters { DeliverBy = new DeliverBy(TimeSpan.FromSeconds(59.5), isNotify, IsTrace: false) }));
        Assert.Equal(mail, taken?.MailLine);
        if (mail is null)
            Assert.Equal("5.3.3", Assert.IsType<ClientAnswer.Refused>(answer).Reply.Status?.ToString());
    }

    /// <summary>RFC 2852 §4.1.4.2.</summary>
    [Theory]
    [InlineData(DsnNotify.Unspecified, true, " NOTIFY=FAILURE,DELAY")]
    [InlineData(DsnNotify.Success, true, " NOTIFY=SUCCESS,DELAY")]
    [InlineData(DsnNotify.Never, true, " NOTIFY=NEVER")]
    [InlineData(DsnNotify.Success, false, " NOTIFY=SUCCESS")]
    [InlineData(DsnNotify.Unspecified, false, "")]
    public async Task A_server_that_does_not_know_of_the_deadline_shall_tell_of_delays(DsnNotify asked, bool isNotify, string told)
    {
        var message = Message(new MailParameters { DeliverBy = isNotify ? new DeliverBy(TimeSpan.FromSeconds(60), IsNotify: true, IsTrace: false) : null });
        message = message with { Envelope = message.Envelope with { RecipientParameters = [new RecipientParameters { Notify = asked }] } };
        var (_, taken, _) = await SendAsync(Offering("DSN"), message);
        Assert.Equal($"RCPT TO:<b@there.test>{told}", taken!.RcptLines.Single());
    }

    [Theory]
    [InlineData(false, true, true)]                 // in clear
    [InlineData(true, false, true)]                 // anybody's certificate
    [InlineData(true, true, false)]                 // may pass it on in clear
    [InlineData(true, true, true)]
    public async Task A_message_that_requires_tls_goes_only_where_every_hop_keeps_it(bool isTls, bool isTrusted, bool isOffered)
    {
        using var certificate = TestCertificate.Create("sink.test");
        var sink = Offering(isOffered ? ["REQUIRETLS"] : []) with { Certificate = isTls ? certificate : null };
        var options = Options with { VerifyCertificate = (_, presented, _, _) => isTrusted && presented!.GetCertHashString() == certificate.GetCertHashString() };
        var (answer, taken, transcript) = await SendAsync(sink, Message(new MailParameters { RequiresTls = true }), options);
        if (isTls && isTrusted && isOffered)
        {
            Assert.True(taken!.IsTls);
            Assert.Equal("MAIL FROM:<a@here.test> REQUIRETLS", taken.MailLine);
            return;
        }

        Assert.Equal("5.7.30", Assert.IsType<ClientAnswer.Refused>(answer).Reply.Status?.ToString());
        Assert.DoesNotContain("MAIL", transcript, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PIPELINING CHUNKING BINARYMIME", 1_300_000)]
    [InlineData("CHUNKING BINARYMIME", 1_300_000)]
    [InlineData("PIPELINING CHUNKING BINARYMIME", 512 * 1024)]
    [InlineData("CHUNKING BINARYMIME", 0)]
    public async Task Binary_content_goes_by_bdat_octet_for_octet(string offered, int length)
    {
        var content = new byte[length];
        new Random(3).NextBytes(content);
        var message = Message(new MailParameters { Body = BodyType.BinaryMime }) with { Content = new ByteContent(content, piece: 10_007) };
        var (answer, taken, transcript) = await SendAsync(Offering(offered.Split(' ')), message);
        Assert.IsType<ClientAnswer.Accepted>(answer);
        Assert.Equal(content, taken!.Content);
        Assert.Equal("MAIL FROM:<a@here.test> BODY=BINARYMIME", taken.MailLine);
        Assert.DoesNotContain("C: DATA", transcript, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CHUNKING")]
    [InlineData("BINARYMIME 8BITMIME")]
    public async Task Binary_content_is_not_given_to_a_server_that_would_change_it(string offered)
    {
        var (answer, taken, _) = await SendAsync(Offering(offered.Split(' ')), Message(new MailParameters { Body = BodyType.BinaryMime }));
        Assert.Null(taken);
        Assert.Equal("5.6.3", Assert.IsType<ClientAnswer.Refused>(answer).Reply.Status?.ToString());
    }

    [Theory]
    [InlineData("PIPELINING CHUNKING BINARYMIME")]
    [InlineData("CHUNKING BINARYMIME")]
    public async Task A_refused_chunk_ends_the_message_and_not_the_session(string offered)
    {
        var refuses = true;
        await using var sink = new ScriptedSink(Offering(offered.Split(' ')) with
        {
            Script = (phase, _, _) => phase == SinkPhase.Chunk && refuses ? new SinkAction.Reply("452 4.3.1 Full") : null,
        });
        await using var dialogue = await SinkClient.ConnectAsync(sink, Options);
        await dialogue.OpenAsync(CancellationToken.None);
        var binary = Message(new MailParameters { Body = BodyType.BinaryMime }) with { Content = new ByteContent(new byte[1_500_000], piece: 65_536) };
        var answer = (await dialogue.SendAsync(binary, following: null, CancellationToken.None))[0];
        Assert.Equal(452, Assert.IsType<ClientAnswer.Refused>(answer).Reply.Code);
        Assert.Empty(sink.Messages);

        refuses = false;
        Assert.IsType<ClientAnswer.Accepted>((await dialogue.SendAsync(Message(MailParameters.None), following: null, CancellationToken.None))[0]);
        Assert.Single(sink.Messages);
        Assert.Contains("C: RSET", sink.Transcript(0));
    }

    [Fact]
    public async Task A_binary_message_may_follow_one_of_lines()
    {
        await using var sink = new ScriptedSink(Offering("PIPELINING", "CHUNKING", "BINARYMIME"));
        await using var dialogue = await SinkClient.ConnectAsync(sink, Options);
        await dialogue.OpenAsync(CancellationToken.None);
        var (lines, binary) = (Message(MailParameters.None), Message(new MailParameters { Body = BodyType.BinaryMime }, "a\nb\0.\n"));
        Assert.IsType<ClientAnswer.Accepted>((await dialogue.SendAsync(lines, binary, CancellationToken.None))[0]);
        Assert.IsType<ClientAnswer.Accepted>((await dialogue.SendAsync(binary, lines, CancellationToken.None))[0]);
        Assert.IsType<ClientAnswer.Accepted>((await dialogue.SendAsync(lines, following: null, CancellationToken.None))[0]);
        Assert.Equal(["Subject: x\r\n\r\nbody\r\n", "a\nb\0.\n", "Subject: x\r\n\r\nbody\r\n"], sink.Messages.Select(static m => m.Text));
    }

    [Fact]
    public async Task A_message_larger_than_the_server_takes_is_not_begun()
    {
        var (answer, _, transcript) = await SendAsync(Offering("SIZE 10"), Message(MailParameters.None));
        Assert.Equal("5.3.4", Assert.IsType<ClientAnswer.Refused>(answer).Reply.Status?.ToString());
        Assert.DoesNotContain("MAIL", transcript, StringComparison.Ordinal);
    }
}
