using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Clients;

/// <summary>curl, with <c>smtp:</c> and <c>smtps:</c>.</summary>
public sealed class CurlTests(PosternServer server)
{
    private const int LoginDenied = 67;

    [Theory]
    [InlineData(Way.StartTls, "PLAIN", false)]
    [InlineData(Way.StartTls, "LOGIN", false)]
    [InlineData(Way.Implicit, "PLAIN", false)]
    [InlineData(Way.Implicit, "LOGIN", false)]
    [InlineData(Way.Implicit, "PLAIN", true)]
    [InlineData(Way.StartTls, "LOGIN", true)]
    public async Task Curl_submits_a_message_that_arrives_unchanged(Way way, string mechanism, bool initialResponse)
    {
        var message = SampleMessage.To(PosternServer.NewRecipient());

        var run = await RunAsync(message, way, mechanism, PosternServer.Password, initialResponse ? ["--sasl-ir"] : []);

        run.AssertSucceeded();
        Relayed.AssertSame(message.Content, await server.MessageForAsync(message.Recipient));
    }

    [Fact]
    public async Task Curl_chooses_a_mechanism_by_itself()
    {
        var message = SampleMessage.To(PosternServer.NewRecipient());

        var run = await RunAsync(message, Way.StartTls, "*", PosternServer.Password);

        run.AssertSucceeded();
        Relayed.AssertSame(message.Content, await server.MessageForAsync(message.Recipient));
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    public async Task Curl_reports_a_wrong_password_and_the_right_one_works_after_it(string mechanism)
    {
        var message = SampleMessage.To(PosternServer.NewRecipient());

        var refused = await RunAsync(message, Way.Implicit, mechanism, PosternServer.WrongPassword);
        var taken = await RunAsync(message, Way.Implicit, mechanism, PosternServer.Password);

        Assert.Equal(LoginDenied, refused.ExitCode);
        taken.AssertSucceeded();
        Relayed.AssertSame(message.Content, await server.MessageForAsync(message.Recipient));
    }

    private async Task<ProgramResult> RunAsync(SampleMessage message, Way way, string mechanism, string password, params string[] more) =>
        await RunningProgram.RunAsync(
        [
            Peer.Require("curl"),
            "--disable", "--silent", "--show-error", "--ssl-reqd", "--cacert", server.CertificateFile,
            "--url", $"{(way == Way.Implicit ? "smtps" : "smtp")}://127.0.0.1:{server.Port(way)}/client.test",
            "--user", $"{PosternServer.User}:{password}", "--login-options", $"AUTH={mechanism}",
            "--mail-from", PosternServer.Sender, "--mail-rcpt", message.Recipient,
            "--upload-file", await server.NewFileAsync("message", message.Content), .. more,
        ]);
}
