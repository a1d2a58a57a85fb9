using System.Text;
using System.Text.RegularExpressions;
using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Clients;

/// <summary>git send-email, with a patch as attachment.</summary>
public sealed partial class GitSendEmailTests(PosternServer server)
{
    /// <summary>git names the author once more in the body when it is another than the sender.</summary>
    private const string Author = "Lukas Example";

    [Theory]
    [InlineData(Way.StartTls, "PLAIN")]
    [InlineData(Way.StartTls, "LOGIN")]
    [InlineData(Way.Implicit, "PLAIN")]
    [InlineData(Way.Implicit, "LOGIN")]
    public async Task Git_submits_a_patch_that_arrives_unchanged(Way way, string mechanism)
    {
        var recipient = PosternServer.NewRecipient();
        var patch = await MakePatchAsync();

        var run = await SendAsync(patch, recipient, way, mechanism, PosternServer.Password);

        run.AssertSucceeded();
        var arrived = await server.MessageForAsync(recipient);
        Relayed.AssertSame(await SentAsync(patch, run.Error), arrived);
        Assert.Contains("\r\nSubject: [PATCH] =?UTF-8?", arrived.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Git_reports_a_wrong_password_and_the_right_one_works_after_it()
    {
        var recipient = PosternServer.NewRecipient();
        var patch = await MakePatchAsync();

        var refused = await SendAsync(patch, recipient, Way.StartTls, "PLAIN", PosternServer.WrongPassword);
        var taken = await SendAsync(patch, recipient, Way.StartTls, "PLAIN", PosternServer.Password);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("5.7.8 Authentication failed", refused.Error, StringComparison.Ordinal);
        taken.AssertSucceeded();
        Relayed.AssertSame(await SentAsync(patch, taken.Error), await server.MessageForAsync(recipient));
    }

    /// <summary>The header section as git's trace shows it going out, which has no empty lines, and the body of the patch.</summary>
    private static async Task<byte[]> SentAsync(string patch, string trace)
    {
        var text = await File.ReadAllTextAsync(patch, Encoding.Latin1);
        var body = text[(text.IndexOf("\n\n", StringComparison.Ordinal) + 2)..];
        var firstOfBody = body[..body.IndexOf('\n')];
        var fields = trace.Split('\n')
            .SkipWhile(static line => !line.Contains("<<< 354", StringComparison.Ordinal))
            .Select(static line => TraceLine().Match(line))
            .Where(static match => match.Success)
            .Select(static match => match.Groups["text"].Value)
            .TakeWhile(line => line != firstOfBody);
        return Encoding.Latin1.GetBytes($"{string.Concat(fields.Select(static field => field + "\n"))}\n{body}".Replace("\n", "\r\n", StringComparison.Ordinal));
    }

    /// <summary>A commit whose subject is not ASCII, as git format-patch attaches it.</summary>
    private async Task<string> MakePatchAsync()
    {
        var repository = server.NewDirectory();
        await GitAsync(repository, "init", "--quiet");
        await File.WriteAllTextAsync(Path.Combine(repository, "text"), "text\n.\n..\n.hidden\nFrom here on\n");
        await File.WriteAllBytesAsync(Path.Combine(repository, "octets.bin"), SampleMessage.Attachment);
        await GitAsync(repository, "add", "text", "octets.bin");
        await GitAsync(repository, "commit", "--quiet", "--message", SampleMessage.Subject);
        var made = await GitAsync(repository, "format-patch", "--quiet", "--attach", "--binary", "--root", "-1", "--output-directory", repository, "HEAD");
        made.AssertSucceeded();
        return Directory.GetFiles(repository, "*.patch").Single();
    }

    private async Task<ProgramResult> SendAsync(string patch, string recipient, Way way, string mechanism, string password)
    {
        Assert.SkipWhen(Peer.Find("git-send-email") is null, "git send-email is not installed");
        var modules = await RunningProgram.RunAsync([Peer.Require("perl"), "-MMail::Address", "-MAuthen::SASL", "-MIO::Socket::SSL", "-e", "1"]);
        Assert.SkipWhen(modules.ExitCode != 0, "the Perl modules of git send-email are not installed");
        return await GitAsync(
            Path.GetDirectoryName(patch)!,
            "send-email", "--confirm=never", "--no-validate", "--suppress-cc=all", "--smtp-debug=1", "--smtp-domain=client.test",
            "--smtp-server=127.0.0.1", $"--smtp-server-port={server.Port(way)}", way == Way.Implicit ? "--smtp-encryption=ssl" : "--smtp-encryption=tls",
            $"--smtp-ssl-cert-path={server.CertificateFile}", $"--smtp-auth={mechanism}", $"--smtp-user={PosternServer.User}", $"--smtp-pass={password}",
            $"--from={Author} <{PosternServer.Sender}>", $"--to={recipient}", patch);
    }

    /// <summary>Without the configuration of whoever runs the tests.</summary>
    private static Task<ProgramResult> GitAsync(string directory, params string[] arguments) => RunningProgram.RunAsync(
        [Peer.Require("git"), .. arguments],
        directory,
        environment: new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["HOME"] = directory,
            ["GIT_CONFIG_NOSYSTEM"] = "1",
            ["GIT_CONFIG_GLOBAL"] = "/dev/null",
            ["GIT_TERMINAL_PROMPT"] = "0",
            ["GIT_AUTHOR_NAME"] = Author,
            ["GIT_AUTHOR_EMAIL"] = PosternServer.Sender,
            ["GIT_COMMITTER_NAME"] = Author,
            ["GIT_COMMITTER_EMAIL"] = PosternServer.Sender,
        });

    [GeneratedRegex(@"^Net::SMTP[^>]*>>> (?<text>.*)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex TraceLine();
}
