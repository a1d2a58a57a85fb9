using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Clients;

/// <summary>swaks, the tester's client.</summary>
public sealed class SwaksTests(PosternServer server)
{
    private const int AuthenticationFailed = 28;

    [Theory]
    [InlineData(Way.StartTls, "PLAIN")]
    [InlineData(Way.StartTls, "LOGIN")]
    [InlineData(Way.Implicit, "PLAIN")]
    [InlineData(Way.Implicit, "LOGIN")]
    public async Task Swaks_submits_a_message_that_arrives_unchanged(Way way, string mechanism)
    {
        var message = SampleMessage.To(PosternServer.NewRecipient());

        var run = await RunAsync(message, way, mechanism, PosternServer.Password);

        run.AssertSucceeded();
        Relayed.AssertSame(message.Content, await server.MessageForAsync(message.Recipient));
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    public async Task Swaks_reports_a_wrong_password_and_the_right_one_works_after_it(string mechanism)
    {
        var message = SampleMessage.To(PosternServer.NewRecipient());

        var refused = await RunAsync(message, Way.StartTls, mechanism, PosternServer.WrongPassword);
        var taken = await RunAsync(message, Way.StartTls, mechanism, PosternServer.Password);

        Assert.Equal(AuthenticationFailed, refused.ExitCode);
        Assert.Contains("535 5.7.8", refused.Output, StringComparison.Ordinal);
        Assert.Contains("*** No authentication type succeeded", refused.Text, StringComparison.Ordinal);
        taken.AssertSucceeded();
        Relayed.AssertSame(message.Content, await server.MessageForAsync(message.Recipient));
    }

    [Theory]
    [InlineData("FRONT DESK PC")]
    [InlineData("M\u00dcLLER-PC")]
    [InlineData("DOM\\PC")]
    public async Task Swaks_by_any_name_submits_a_message(string name)
    {
        var message = SampleMessage.To(PosternServer.NewRecipient());

        var run = await RunAsync(message, Way.StartTls, "PLAIN", PosternServer.Password, name);

        run.AssertSucceeded();
        Relayed.AssertSame(message.Content, await server.MessageForAsync(message.Recipient));
    }

    /// <summary>swaks ends what it sends with CRLF, whether or not it is there already: its file must do without the last one.</summary>
    private async Task<ProgramResult> RunAsync(SampleMessage message, Way way, string mechanism, string password, string name = "client.test") =>
        await RunningProgram.RunAsync(
        [
            Peer.Require("swaks"),
            "--server", "127.0.0.1", "--port", $"{server.Port(way)}", "--ehlo", name,
            way == Way.Implicit ? "--tls-on-connect" : "--tls", "--tls-verify", "--tls-ca-path", server.CertificateFile,
            "--auth", mechanism, "--auth-user", PosternServer.User, "--auth-password", password,
            "--from", PosternServer.Sender, "--to", message.Recipient,
            "--data", "@" + await server.NewFileAsync("message", message.Content[..^2]), "--suppress-data",
        ]);
}
