using System.Text;
using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Clients;

/// <summary>msmtp, the sendmail of machines without a mail server.</summary>
public sealed class MsmtpTests(PosternServer server)
{
    private const int NoPermission = 77;

    [Theory]
    [InlineData(Way.StartTls, "plain")]
    [InlineData(Way.StartTls, "login")]
    [InlineData(Way.Implicit, "plain")]
    [InlineData(Way.Implicit, "login")]
    public async Task Msmtp_submits_a_message_that_arrives_unchanged(Way way, string mechanism)
    {
        var message = SampleMessage.To(PosternServer.NewRecipient());

        var run = await RunAsync(message, way, mechanism, PosternServer.Password);

        run.AssertSucceeded();
        Relayed.AssertSame(message.Content, await server.MessageForAsync(message.Recipient));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("login")]
    public async Task Msmtp_reports_a_wrong_password_and_the_right_one_works_after_it(string mechanism)
    {
        var message = SampleMessage.To(PosternServer.NewRecipient());

        var refused = await RunAsync(message, Way.StartTls, mechanism, PosternServer.WrongPassword);
        var taken = await RunAsync(message, Way.StartTls, mechanism, PosternServer.Password);

        Assert.Equal(NoPermission, refused.ExitCode);
        Assert.Contains("authentication failed", refused.Error, StringComparison.Ordinal);
        Assert.Contains("535 5.7.8", refused.Error, StringComparison.Ordinal);
        taken.AssertSucceeded();
        Relayed.AssertSame(message.Content, await server.MessageForAsync(message.Recipient));
    }

    private async Task<ProgramResult> RunAsync(SampleMessage message, Way way, string mechanism, string password)
    {
        var program = Peer.Require("msmtp");
        var config = await server.NewFileAsync("msmtprc", Encoding.UTF8.GetBytes($"""
            account default
            host 127.0.0.1
            port {server.Port(way)}
            domain client.test
            tls on
            tls_starttls {(way == Way.Implicit ? "off" : "on")}
            tls_trust_file {server.CertificateFile}
            auth {mechanism}
            user {PosternServer.User}
            password "{password}"
            from {PosternServer.Sender}

            """));
        File.SetUnixFileMode(config, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return await RunningProgram.RunAsync([program, "-C", config, "--", message.Recipient], input: message.LfText);
    }
}
