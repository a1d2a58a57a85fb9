using System.Text;
using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Clients;

/// <summary>mutt, which logs in by GNU SASL, with a message that it composes.</summary>
public sealed class MuttTests(PosternServer server)
{
    [Theory]
    [InlineData(Way.StartTls, "plain")]
    [InlineData(Way.StartTls, "scram-sha-256")]
    [InlineData(Way.Implicit, "login")]
    public async Task Mutt_submits_a_message_that_arrives_unchanged(Way way, string mechanism)
    {
        var recipient = PosternServer.NewRecipient();
        var record = Path.Combine(server.NewDirectory(), "sent");

        var refused = await RunAsync(recipient, record + ".not", way, mechanism, PosternServer.WrongPassword);
        var taken = await RunAsync(recipient, record, way, mechanism, PosternServer.Password);

        Assert.NotEqual(0, refused.ExitCode);
        taken.AssertSucceeded();
        var arrived = await server.MessageForAsync(recipient);
        Relayed.AssertSame(await RecordedAsync(record, DateOf(arrived.Text.Split("\r\n"))), arrived);
    }

    /// <summary>
    /// What it keeps of a message: a mailbox of one. Fields of its own (Status, Content-Length, Lines) are not in what it sends, and its Date
    /// is of the moment in which it is kept, before that in which it is sent.
    /// </summary>
    private static async Task<byte[]> RecordedAsync(string record, string sentAt)
    {
        var lines = (await File.ReadAllTextAsync(record, Encoding.Latin1)).Split('\n')[1..^2];
        string[] own = ["Status: ", "Content-Length: ", "Lines: "];
        var keptAt = DateOf(lines);
        var sent = lines.Where(line => !own.Any(name => line.StartsWith(name, StringComparison.Ordinal))).Select(line => line == keptAt ? sentAt : line);
        return Encoding.Latin1.GetBytes(string.Join("\r\n", sent) + "\r\n");
    }

    private static string DateOf(IEnumerable<string> lines) => lines.First(static line => line.StartsWith("Date: ", StringComparison.Ordinal));

    private async Task<ProgramResult> RunAsync(string recipient, string record, Way way, string mechanism, string password)
    {
        var program = Peer.Require("mutt");
        var attachment = await server.NewFileAsync("octets.bin", SampleMessage.Attachment);
        string[] settings =
        [
            $"smtp_url={(way == Way.Implicit ? "smtps" : "smtp")}://{PosternServer.User}@localhost:{server.Port(way)}", $"smtp_pass=\"{password.Replace("$", "\\$", StringComparison.Ordinal)}\"", $"smtp_authenticators={mechanism}",
            "ssl_starttls=yes", "ssl_force_tls=yes", $"ssl_ca_certificates_file={server.CertificateFile}", $"certificate_file={server.CertificateFile}",
            $"from={PosternServer.Sender}", "envelope_from=yes", $"envelope_from_address={PosternServer.Sender}", "use_envelope_from=yes", $"record={record}", "copy=yes", "fcc_attach=yes", "fcc_before_send=yes",
            "send_charset=utf-8", "charset=utf-8", "hostname=client.test",
        ];
        var configuration = await server.NewFileAsync("muttrc", Encoding.UTF8.GetBytes(string.Concat(settings.Select(static s => $"set {s}\n"))));
        return await RunningProgram.RunAsync(
            [program, "-n", "-F", configuration, "-s", SampleMessage.Subject, "-a", attachment, "--", recipient],
            input: "Grüße ∀x∈ℝ\n.hidden\nlast\n",
            environment: new Dictionary<string, string>(StringComparer.Ordinal) { ["LC_ALL"] = "C.UTF-8", ["HOME"] = Path.GetDirectoryName(record)! });
    }
}
