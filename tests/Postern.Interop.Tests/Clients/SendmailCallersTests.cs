using System.Globalization;
using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;
using Postern.Testing.Sinks;

namespace Postern.Interop.Tests.Clients;

/// <summary>Programs that know no SMTP and call <c>sendmail</c>.</summary>
public sealed class SendmailCallersTests(PosternServer server)
{
    [Fact]
    public async Task Php_mails_with_a_blind_copy_that_nobody_sees()
    {
        var php = Peer.Require("php");
        var (recipient, blind) = (PosternServer.NewRecipient(), PosternServer.NewRecipient());
        var code = $"exit(mail('{recipient}', 'Of php', \"first\\n.\\nlast\\n\", \"From: Web <web@interop.test>\\r\\nBcc: {blind}\", '-fbounces@interop.test') ? 0 : 1);";

        var run = await RunningProgram.RunAsync([php, "-d", $"sendmail_path={server.SendmailCommand} -t -i", "-r", code]);

        run.AssertSucceeded();
        var arrived = await server.MessageForAsync(recipient);
        Assert.Equal("bounces@interop.test", arrived.Sender);
        Assert.Contains("\r\nSubject: Of php\r\n", arrived.Text, StringComparison.Ordinal);
        Assert.Contains("\r\nfirst\r\n.\r\nlast\r\n", arrived.Text, StringComparison.Ordinal);
        Assert.Contains("\r\nMessage-ID: <", arrived.Text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(blind, Header(arrived), StringComparison.Ordinal);
        await server.DeliveredAsync(blind);
    }

    [Fact]
    public async Task Php_hears_of_a_recipient_that_is_none()
    {
        var php = Peer.Require("php");
        var run = await RunningProgram.RunAsync([php, "-d", $"sendmail_path={server.SendmailCommand} -t -i", "-r", "exit(mail('not an address', 'x', 'y') ? 0 : 1);"]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("'not an address' in the header is not an address", run.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Git_sends_a_patch()
    {
        Assert.SkipWhen(Peer.Find("git-send-email") is null, "git send-email is not installed");
        var recipient = PosternServer.NewRecipient();
        var patch = await server.NewFileAsync("0001-dots.patch", "From 0123456789 Mon Sep 17 00:00:00 2001\nFrom: Lisa <lisa@interop.test>\nDate: Sun, 29 Nov 2026 09:00:00 +0000\nSubject: [PATCH] Dots\n\n.\n..\nlast\n"u8.ToArray());

        var run = await RunningProgram.RunAsync(
            [
                Peer.Require("git"), "send-email", "--confirm=never", "--no-validate", "--suppress-cc=all", $"--sendmail-cmd={server.SendmailCommand}",
                "--from=Lisa <lisa@interop.test>", "--envelope-sender=auto", $"--to={recipient}", patch,
            ],
            Path.GetDirectoryName(patch)!,
            environment: new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["HOME"] = Path.GetDirectoryName(patch)!, ["GIT_CONFIG_NOSYSTEM"] = "1", ["GIT_CONFIG_GLOBAL"] = "/dev/null",
                ["GIT_AUTHOR_NAME"] = "Lisa", ["GIT_AUTHOR_EMAIL"] = "lisa@interop.test", ["GIT_COMMITTER_NAME"] = "Lisa", ["GIT_COMMITTER_EMAIL"] = "lisa@interop.test",
            });

        run.AssertSucceeded();
        var arrived = await server.MessageForAsync(recipient);
        Assert.Equal("lisa@interop.test", arrived.Sender);
        Assert.EndsWith("\r\n\r\n.\r\n..\r\nlast\r\n", arrived.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mailx_sends_by_a_link_that_is_called_sendmail()
    {
        var mailx = Peer.Require("s-nail");
        var recipient = PosternServer.NewRecipient();
        var directory = server.NewDirectory();
        var link = Path.Combine(directory, "sendmail");
        File.CreateSymbolicLink(link, PosternServer.Program);

        var run = await RunningProgram.RunAsync(
            [mailx, "-:/", "-S", "v15-compat=yes", "-S", $"mta={link}", "-S", "from=lisa@interop.test", "-S", "sendwait", "-s", "By mailx", recipient],
            directory,
            "body\n.hidden\n",
            new Dictionary<string, string>(StringComparer.Ordinal) { ["HOME"] = directory, ["POSTERN_DROP"] = server.Drop });

        run.AssertSucceeded();
        var arrived = await server.MessageForAsync(recipient);
        Assert.Contains("\r\nSubject: By mailx\r\n", arrived.Text, StringComparison.Ordinal);
        Assert.EndsWith("\r\nbody\r\n.hidden\r\n", arrived.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Python_speaks_smtp_to_its_standard_input()
    {
        var recipient = PosternServer.NewRecipient();
        var code = string.Create(CultureInfo.InvariantCulture, $$"""
            import subprocess
            said = "EHLO x\r\nMAIL FROM:<lisa@interop.test>\r\nRCPT TO:<{{recipient}}>\r\nDATA\r\nSubject: piped\r\n\r\n..dot\r\n.\r\nQUIT\r\n"
            run = subprocess.run("{{server.SendmailCommand}} -bs".split(), input=said, capture_output=True, text=True)
            assert run.returncode == 0 and "250 2.0.0 Queued as" in run.stdout, run
            """);
        (await RunningProgram.RunAsync([Peer.Require("python3"), "-c", code])).AssertSucceeded();
        Assert.EndsWith("\r\n\r\n.dot\r\n", (await server.MessageForAsync(recipient)).Text, StringComparison.Ordinal);
    }

    private static string Header(SinkMessage message) => message.Text[..message.Text.IndexOf("\r\n\r\n", StringComparison.Ordinal)];
}
