using System.Text;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Smtp.Tests.Client;

/// <summary>Rows 7 and 9. Content that some server would read as an end of data must never leave as such (rule: only CRLF.CRLF ends, and only we end).</summary>
public sealed class SmtpClientSmugglingTests
{
    public static TheoryData<string> PseudoTerminators { get; } =
    [
        "\n.\n", "\n.\r\n", "\n.\r", "\r.\r", "\r.\n", "\r.\r\n", "\r\n.\n", "\r\n.\r",
        "\r\n.\r\n", "\r\n\0.\r\n", "\r\n.\0\r\n", "\r\n.\r\r\n", "\r\r\n.\r\n", "\n\n.\r\n", "\r\n\r.\r\n", "\n\r.\r\n",
    ];

    [Theory]
    [MemberData(nameof(PseudoTerminators))]
    public async Task A_pseudo_terminator_leaves_as_content_however_it_is_cut(string terminator)
    {
        const string Smuggled = "MAIL FROM:<evil@there.test>\r\nRCPT TO:<b@there.test>\r\nDATA\r\nsmuggled\r\n.\r\n";
        var content = Encoding.Latin1.GetBytes($"Subject: x\r\n\r\nbody{terminator}{Smuggled}");
        foreach (var piece in (int[])[1, 2, 3, 5, int.MaxValue])
        {
            await using var sink = new ScriptedSink();
            await using var dialogue = await SinkClient.ConnectAsync(sink, new SmtpClientOptions { Hostname = Domain.Parse("client.test") });
            await dialogue.OpenAsync(CancellationToken.None);
            var message = new OutgoingMessage(ReversePath.Null, [Mailbox.Parse("b@there.test")], new ByteContent(content, piece));
            Assert.IsType<ClientAnswer.Accepted>((await dialogue.SendAsync(message, following: null, CancellationToken.None))[0]);
            await dialogue.QuitAsync(CancellationToken.None);

            var wire = Encoding.Latin1.GetString(Assert.Single(sink.Messages).Wire);
            var left = wire.Replace("\r\n", string.Empty);
            Assert.DoesNotContain('\r', left);
            Assert.DoesNotContain('\n', left);
            Assert.Equal(wire.Length - 5, wire.IndexOf("\r\n.\r\n", StringComparison.Ordinal));
        }
    }
}
