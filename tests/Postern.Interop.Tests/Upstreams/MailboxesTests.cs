using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Upstreams;

/// <summary><c>postern serve</c> with routes that lead to mailboxes: Dovecot's by LMTP, and those of the machine itself.</summary>
public sealed class MailboxesTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Dovecot_takes_mail_by_lmtp_over_its_socket_and_over_tcp_and_says_of_each_recipient_whether_it_has_it()
    {
        DovecotLmtp.Require();
        var directory = Directory.CreateTempSubdirectory("pst-lmtp-");
        try
        {
            await using var dovecot = await DovecotLmtp.StartAsync(directory.FullName);
            using var home = await HomeAsync(
                $"""
                    - {"{"} to: socket.test, via: "lmtp:unix:{dovecot.Socket}" {"}"}
                    - {"{"} to: port.test, via: "lmtp://127.0.0.1:{dovecot.Port}" {"}"}
                """);
            await using var postern = await home.ServeAsync();

            await Submission.SubmitAsync(postern, $"{DovecotLmtp.User}@socket.test", "nobody@socket.test", $"{DovecotLmtp.User}@port.test");

            var failed = await LineAsync(postern, "nobody@socket.test", "failed");
            Assert.Contains("550 5.1.1", failed, StringComparison.Ordinal);
            Assert.Contains($"unix:{dovecot.Socket}", await LineAsync(postern, $"{DovecotLmtp.User}@socket.test", "delivered"), StringComparison.Ordinal);
            Assert.Contains($"[127.0.0.1]:{dovecot.Port}", await LineAsync(postern, $"{DovecotLmtp.User}@port.test", "delivered"), StringComparison.Ordinal);
            Assert.Equal(2, dovecot.Messages().Count);
            Assert.All(dovecot.Messages(), static text => Assert.Contains("Subject: hello", text, StringComparison.Ordinal));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Mail_of_this_machine_goes_to_a_maildir_and_a_command_and_explain_says_so()
    {
        using var home = await HomeAsync(
            """
                - { to: local.test, via: "maildir:MAIL/{user}" }
                - { to: robot.test, via: "pipe:/bin/sh -c \"cat > MAIL/robot\"" }
                - { to: gone.test, via: "error:550 5.1.6 It is gone" }
            """);
        await File.WriteAllTextAsync(home.ConfigFile, (await File.ReadAllTextAsync(home.ConfigFile)).Replace("MAIL", $"{home.Root}/mail", StringComparison.Ordinal));
        Directory.CreateDirectory(Path.Combine(home.Root, "mail", "lisa"));
        await using var postern = await home.ServeAsync();

        await Submission.SubmitAsync(postern, "lisa@local.test", "in@robot.test", "x@gone.test");

        await LineAsync(postern, "lisa@local.test", "delivered");
        await LineAsync(postern, "in@robot.test", "delivered");
        Assert.Contains("550 5.1.6 It is gone", await LineAsync(postern, "x@gone.test", "failed"), StringComparison.Ordinal);
        Assert.Contains("Subject: hello\n", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(Path.Combine(home.Root, "mail", "lisa", "new")))), StringComparison.Ordinal);
        Assert.Contains("Delivered-To: in@robot.test\n", await File.ReadAllTextAsync(Path.Combine(home.Root, "mail", "robot")), StringComparison.Ordinal);
        var explained = await home.RunAsync("explain", "--client", "127.0.0.1", "--login", PosternHome.User, "--from", PosternHome.User, "--to", "lisa@local.test", "--listener", "plain");
        Assert.Contains($"maildir:{home.Root}/mail/{{user}}", explained.Output, StringComparison.Ordinal);
    }

    private static Task<PosternHome> HomeAsync(string routes) =>
        PosternHome.CreateAsync(Path.Combine(AppContext.BaseDirectory, "postern.dll"), PosternHome.Configuration(more: $"delivery:\n  routes:\n{routes}\n"));

    private static Task<string> LineAsync(PosternProcess postern, string recipient, string outcome) => postern.Output.FindAsync(
        line => line.Contains($"\"{recipient}\"", StringComparison.Ordinal) && line.Contains($"\"outcome\":\"{outcome}\"", StringComparison.Ordinal)).WaitAsync(Patience);
}
