using System.Text;
using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Clients;

/// <summary>Postfix's smtp-sink as the server that Postern relays to; curl submits.</summary>
public sealed class SmtpSinkTests(PosternServer server)
{
    [Fact]
    public async Task Smtp_sink_gets_the_message_as_it_was_sent()
    {
        Assert.SkipWhen(server.SmtpSink is null, "smtp-sink is not installed");
        var message = SampleMessage.To($"{Guid.NewGuid():N}@smtp-sink.test");

        var run = await RunningProgram.RunAsync(
        [
            Peer.Require("curl"), "--disable", "--silent", "--show-error", "--cacert", server.CertificateFile, "--url", $"smtps://127.0.0.1:{server.Port(Way.Implicit)}/client.test",
            "--user", $"{PosternServer.User}:{PosternServer.Password}", "--mail-from", PosternServer.Sender, "--mail-rcpt", message.Recipient,
            "--upload-file", await server.NewFileAsync("message", message.Content),
        ]);

        run.AssertSucceeded();
        await server.DeliveredAsync(message.Recipient);
        var (envelope, content) = await DumpAsync(message.Recipient);
        Assert.Contains($"X-Mail-Args: <{PosternServer.Sender}>", envelope, StringComparison.Ordinal);
        Relayed.AssertSame(message.Content, content);
    }

    /// <summary>The one dump for this recipient: smtp-sink's own fields, and what came in DATA with its line ends restored.</summary>
    private async Task<(string Envelope, byte[] Content)> DumpAsync(string recipient)
    {
        foreach (var file in Directory.GetFiles(server.SmtpSink!.Directory))
        {
            var dump = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
            if (!dump.Contains($"X-Rcpt-Args: <{recipient}>", StringComparison.Ordinal))
                continue;
            // Its fields end where ours begin: it writes a Received of its own last. Below the message it writes an empty line.
            var ours = dump.IndexOf("Authentication-Results:", StringComparison.Ordinal);
            return (dump[..ours], Encoding.Latin1.GetBytes(dump[ours..^1].Replace("\n", "\r\n", StringComparison.Ordinal)));
        }

        throw new InvalidOperationException($"smtp-sink wrote no message for {recipient}");
    }
}
