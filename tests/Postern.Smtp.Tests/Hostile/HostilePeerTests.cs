using System.Text;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Tests.Client;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Smtp.Tests.Hostile;

/// <summary>What a server that we deliver to may say: bounded, under a deadline, and the message is answered for all the same.</summary>
public sealed class HostilePeerTests
{
    private static readonly SinkPhase[] Phases = [SinkPhase.Connect, SinkPhase.Ehlo, SinkPhase.Mail, SinkPhase.Rcpt, SinkPhase.Data, SinkPhase.EndOfData];

    public static TheoryData<string, SinkPhase> Replies()
    {
        var cells = new TheoryData<string, SinkPhase>();
        foreach (var phase in Phases)
        {
            foreach (var kind in (string[])["ten megabytes of lines", "mixed codes", "no terminator", "no line end", "octets for ever"])
                cells.Add(kind, phase);
        }

        return cells;
    }

    [Theory]
    [MemberData(nameof(Replies))]
    public async Task Row_92_and_93_a_reply_that_is_none_or_never_ends_breaks_the_dialogue_at_its_limit(string kind, SinkPhase phase)
    {
        SinkAction action = kind switch
        {
            "ten megabytes of lines" => new SinkAction.Raw(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("250-" + new string('x', 500) + "\r\n", 20_000)) + "250 end\r\n")),
            "mixed codes" => new SinkAction.Raw("250-one\r\n550-two\r\n354 three\r\n"u8.ToArray()),
            "no terminator" => new SinkAction.Flood("250-more\r\n"u8.ToArray()),
            "no line end" => new SinkAction.Flood(Encoding.ASCII.GetBytes(new string('2', 4096))),
            _ => new SinkAction.Flood([0, 255, (byte)'\r', (byte)'2', (byte)'\n']),
        };
        var broken = await BreakAsync(phase, action, SmtpTimeouts.Default);
        Assert.Equal(ClientFault.ProtocolError, broken.Fault);
        Assert.InRange(broken.Detail.Length, 1, 300);
    }

    [Theory]
    [InlineData(SinkPhase.Connect)]
    [InlineData(SinkPhase.Ehlo)]
    [InlineData(SinkPhase.Mail)]
    [InlineData(SinkPhase.Rcpt)]
    [InlineData(SinkPhase.Data)]
    [InlineData(SinkPhase.EndOfData)]
    public async Task Row_93_a_peer_that_falls_silent_is_left_when_its_time_is_up(SinkPhase phase)
    {
        var soon = TimeSpan.FromMilliseconds(300);
        var broken = await BreakAsync(phase, new SinkAction.Hang(), new SmtpTimeouts { Greeting = soon, Command = soon, Mail = soon, Rcpt = soon, Data = soon, EndOfData = soon });
        Assert.Equal(ClientFault.Timeout, broken.Fault);
    }

    private static async Task<ClientAnswer.Broken> BreakAsync(SinkPhase phase, SinkAction action, SmtpTimeouts timeouts)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await using var sink = new ScriptedSink(SinkOptions.At(phase, action));
        await using var dialogue = await SinkClient.ConnectAsync(sink, new SmtpClientOptions { Hostname = Domain.Parse("client.test"), Timeouts = timeouts });
        var opened = await dialogue.OpenAsync(patience.Token);
        if (phase is SinkPhase.Connect or SinkPhase.Ehlo)
            return Assert.IsType<ClientAnswer.Broken>(opened);

        Assert.IsType<ClientAnswer.Accepted>(opened);
        var message = new OutgoingMessage(new ReversePath(Mailbox.Parse("a@here.test")), [Mailbox.Parse("b@there.test")], new ByteContent("x\r\n"));
        var answers = await dialogue.SendAsync(message, following: null, patience.Token);
        Assert.False(dialogue.IsOpen);
        return Assert.IsType<ClientAnswer.Broken>(answers[0]);
    }
}
