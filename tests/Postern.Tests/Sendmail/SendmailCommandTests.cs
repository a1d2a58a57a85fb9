using System.Text;
using Postern.Commands;
using Postern.Commands.Output;
using Postern.Hosting.Drop;
using Postern.Tests.Commands;

namespace Postern.Tests.Sendmail;

/// <summary>The command, from its standard input to the file that it leaves.</summary>
public sealed class SendmailCommandTests : IDisposable
{
    private readonly CommandRun run = new("server: { hostname: mail.example.org, data: data }\nlimits: { message_size: 2000 }\n");

    public SendmailCommandTests() => Directory.CreateDirectory(run.Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    private string Drop => Path.Combine(run.Data, "drop");

    public void Dispose() => run.Dispose();

    [Fact]
    public async Task Cron_leaves_what_its_job_wrote()
    {
        var (exit, _, error) = await SendmailAsync("To: root\nSubject: Cron <root@host> job\nAuto-Submitted: auto-generated\n\nwritten\n.\n", "-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root");
        Assert.True(exit == 0, error);
        var (dropped, content) = Left();
        Assert.Equal(("root@mail.example.org", "root@mail.example.org"), (dropped.Envelope.Sender.Address, dropped.Envelope.Recipients.Single().Address));
        Assert.Equal(
            "To: root\r\nSubject: Cron <root@host> job\r\nAuto-Submitted: auto-generated\r\nFrom: CronDaemon <root@mail.example.org>\r\n\r\nwritten\r\n.\r\n", content);
    }

    [Fact]
    public async Task Names_that_need_it_are_quoted_or_encoded()
    {
        await SendmailAsync("\nx\n", "-F", "Simpson, \"Lisa\"", "a@example.net");
        Assert.StartsWith("From: \"Simpson, \\\"Lisa\\\"\" <", Left().Content, StringComparison.Ordinal);
        Directory.Delete(Drop, recursive: true);
        await SendmailAsync("\nx\n", "-F", "Grüße\r\nBcc: x@example.net", "a@example.net");
        Assert.StartsWith("From: =?utf-8?B?", Left().Content, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64, "there is no recipient")]
    [InlineData(64, "no option '-Z'", "-Z")]
    [InlineData(65, "'a b' is not an address", "a b")]
    [InlineData(65, "-f 'a b' is not an address", "-f", "a b", "x@example.net")]
    [InlineData(65, "names no recipient", "-t")]
    [InlineData(65, "larger than 2000 octets", "-i", "x@example.net")]
    public async Task What_cannot_be_sent_leaves_nothing_and_says_why(int exitCode, string words, params string[] arguments)
    {
        var (exit, _, error) = await SendmailAsync("Subject: x\n\n" + (arguments is ["-i", ..] ? new string('x', 3000) : string.Empty), arguments);
        Assert.Equal(exitCode, exit);
        Assert.Contains(words, error, StringComparison.Ordinal);
        Assert.Empty(Directory.Exists(Drop) ? Directory.GetFiles(Drop) : []);
    }

    [Fact]
    public async Task Smtp_is_spoken_on_standard_input_and_each_message_is_left()
    {
        var (exit, output, _) = await SendmailAsync(
            "EHLO client\r\nMAIL FROM:<lisa@example.org> RET=FULL ENVID=q7\r\nRCPT TO:<bart@example.net> NOTIFY=NEVER\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nRSET\r\nQUIT\r\n", "-bs");
        Assert.Equal(0, exit);
        Assert.Contains("\r\n250 2.0.0 Queued as ", output, StringComparison.Ordinal);
        Assert.EndsWith("221 2.0.0 Bye\r\n", output, StringComparison.Ordinal);
        var (dropped, content) = Left();
        Assert.Equal(("q7", "Subject: x\r\n\r\n.dot\r\n"), (dropped.Envelope.Parameters.EnvelopeId, content));
    }

    [Fact]
    public async Task Smtp_whose_lines_end_by_lf_alone_is_spoken_throughout()
    {
        var (exit, output, _) = await SendmailAsync(
            "HELO x\nMAIL FROM:<b@example.org>\nRCPT TO:<bart@example.net>\nDATA\nSubject: x\n\n..dot\nx\n.\nQUIT\n", "-bs");
        Assert.Equal(0, exit);
        Assert.EndsWith("221 2.0.0 Bye\r\n", output, StringComparison.Ordinal);
        Assert.Equal("Subject: x\r\n\r\n.dot\r\nx\r\n", Left().Content);
    }

    [Fact]
    public async Task A_lone_lf_ends_nothing_where_lines_end_by_crlf()
    {
        var (exit, _, _) = await SendmailAsync(
            "HELO x\r\nMAIL FROM:<b@example.org>\r\nRCPT TO:<bart@example.net>\r\nDATA\r\nx\n.\nMAIL FROM:<c@example.org>\r\n.\r\nQUIT\r\n", "-bs");
        Assert.Equal(0, exit);
        Assert.Equal("x\r\n.\r\nMAIL FROM:<c@example.org>\r\n", Left().Content);
    }

    [Theory]
    [InlineData("Subject: x\r\n\r\nhalf")]
    [InlineData("Subject: x\r\n\r\nx\n.\n")]
    [InlineData("")]
    public async Task A_message_whose_end_never_comes_is_not_taken_and_the_exit_code_says_so(string content)
    {
        var (exit, _, error) = await SendmailAsync($"HELO x\r\nMAIL FROM:<b@example.org>\r\nRCPT TO:<bart@example.net>\r\nDATA\r\n{content}", "-bs");
        Assert.Equal(65, exit);
        Assert.Contains("ended within a message", error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Drop));
    }

    [Theory]
    [InlineData("EHLO x\r\nSTARTTLS\r\nQUIT\r\n")]
    [InlineData("EHLO x\nBDAT 3\nabcQUIT\n")]
    [InlineData("HELO x\r\nDATA\r\n")]
    public async Task What_is_refused_is_no_message_that_was_cut_off(string dialogue)
    {
        var (exit, output, error) = await SendmailAsync(dialogue, "-bs");
        Assert.Equal((0, string.Empty), (exit, error));
        Assert.Contains("\r\n50", output, StringComparison.Ordinal);
        Assert.Equal(dialogue.Contains("QUIT", StringComparison.Ordinal), output.EndsWith("221 2.0.0 Bye\r\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_data_directory_nothing_is_taken_and_the_reason_is_said()
    {
        Directory.Delete(run.Data);
        var (exit, _, error) = await SendmailAsync("\nx\n", "a@example.net");
        Assert.Equal(78, exit);
        Assert.Contains("there is no drop directory", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_not_listed_is_told_at_once()
    {
        await File.AppendAllTextAsync(run.ConfigFile, "sendmail: { users: [somebody-else] }\n", TestContext.Current.CancellationToken);
        var (exit, _, error) = await SendmailAsync("\nx\n", "a@example.net");
        Assert.Equal(77, exit);
        Assert.Contains("may not send mail here", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_that_the_user_may_not_read_is_no_reason_to_refuse()
    {
        await File.AppendAllTextAsync(run.ConfigFile, "accounts: [ { users: { lisa: \"file:/nowhere/secret\" } } ]\n", TestContext.Current.CancellationToken);
        Assert.Equal(0, (await SendmailAsync("\nx\n", "a@example.net")).Exit);
    }

    [Fact]
    public async Task The_queue_is_listed_and_tried_by_the_old_letters()
    {
        Assert.Equal((0, "no messages\n"), await Of("-bp"));
        Assert.Equal(0, (await Of("-q")).Exit);
        Assert.Equal(0, (await Of("-bi")).Exit);

        async Task<(int Exit, string Output)> Of(string letters)
        {
            var (exit, output, _) = await SendmailAsync(string.Empty, letters);
            return (exit, output);
        }
    }

    private async Task<(int Exit, string Output, string Error)> SendmailAsync(string input, params string[] arguments)
    {
        using var octets = new MemoryStream();
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = new Terminal(output, error, TextReader.Null, isInteractive: false, canAsk: false, octets)
        {
            InputOctets = new MemoryStream(Encoding.UTF8.GetBytes(input)),
        };
        var exit = await PosternCommands.RunAsync(["sendmail", "--config", run.ConfigFile, .. arguments], terminal, TimeProvider.System, TestContext.Current.CancellationToken);
        return (exit, output + Encoding.UTF8.GetString(octets.ToArray()), error.ToString());
    }

    private (DropFile File, string Content) Left()
    {
        var path = Directory.GetFiles(Drop).Single();
        using var handle = File.OpenHandle(path);
        Assert.True(DropFile.TryRead(handle, out var dropped, out var whyNot), whyNot);
        return (dropped, File.ReadAllText(path)[(int)dropped.ContentAt..]);
    }
}
