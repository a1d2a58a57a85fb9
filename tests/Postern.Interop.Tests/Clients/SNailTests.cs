using System.Text;
using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Clients;

/// <summary>s-nail, the mailx of many systems, with a message that it composes.</summary>
public sealed class SNailTests(PosternServer server)
{
    [Theory]
    [InlineData(Way.StartTls, "plain")]
    [InlineData(Way.StartTls, "login")]
    [InlineData(Way.Implicit, "plain")]
    [InlineData(Way.Implicit, "login")]
    public async Task S_nail_submits_a_message_that_arrives_unchanged(Way way, string mechanism)
    {
        var recipient = PosternServer.NewRecipient();
        var record = Path.Combine(server.NewDirectory(), "sent");

        var run = await RunAsync(recipient, record, way, mechanism, PosternServer.Password);

        run.AssertSucceeded();
        var arrived = await server.MessageForAsync(recipient);
        Relayed.AssertSame(await RecordedAsync(record), arrived);
        Assert.Contains(SampleMessage.EncodedAttachment, arrived.Text, StringComparison.Ordinal);
        Assert.Contains("Subject: =?", arrived.Text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task S_nail_reports_a_wrong_password_and_the_right_one_works_after_it()
    {
        var recipient = PosternServer.NewRecipient();
        var record = Path.Combine(server.NewDirectory(), "sent");

        var refused = await RunAsync(recipient, record + ".not", Way.StartTls, "plain", PosternServer.WrongPassword);
        var taken = await RunAsync(recipient, record, Way.StartTls, "plain", PosternServer.Password);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("535 5.7.8 Authentication failed", refused.Text, StringComparison.Ordinal);
        taken.AssertSucceeded();
        Relayed.AssertSame(await RecordedAsync(record), await server.MessageForAsync(recipient));
    }

    /// <summary>What it keeps of a message it has sent: a mailbox of one, a <c>From </c> line on top and an empty line at the end.</summary>
    private static async Task<byte[]> RecordedAsync(string record)
    {
        var text = await File.ReadAllTextAsync(record, Encoding.Latin1);
        return Encoding.Latin1.GetBytes(text[(text.IndexOf('\n') + 1)..^1].Replace("\n", "\r\n", StringComparison.Ordinal));
    }

    private async Task<ProgramResult> RunAsync(string recipient, string record, Way way, string mechanism, string password)
    {
        var program = Peer.Require("s-nail");
        var attachment = await server.NewFileAsync("octets.bin", SampleMessage.Attachment);
        var login = $"{Uri.EscapeDataString(PosternServer.User)}:{Uri.EscapeDataString(password)}";
        string[] settings =
        [
            "v15-compat=yes", $"mta={(way == Way.Implicit ? "smtps" : "smtp")}://{login}@localhost:{server.Port(way)}", $"smtp-auth={mechanism}",
            "tls-verify=strict", $"tls-ca-file={server.CertificateFile}", "tls-ca-no-defaults", $"from={PosternServer.Sender}", $"record={record}", "sendwait", "DEAD=/dev/null", "ttycharset=utf-8",
            .. way == Way.StartTls ? (string[])["smtp-use-starttls"] : [],
        ];
        return await RunningProgram.RunAsync(
            [program, "-:/", .. settings.SelectMany(static s => (string[])["-S", s]), "-s", SampleMessage.Subject, "-a", attachment, recipient],
            input: "Grüße ∀x∈ℝ\n.hidden\nlast\n",
            environment: new Dictionary<string, string>(StringComparer.Ordinal) { ["LC_ALL"] = "C.UTF-8", ["HOME"] = Path.GetDirectoryName(record)! });
    }
}
