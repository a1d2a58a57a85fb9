using System.Text;
using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Clients;

/// <summary>Load balancers and filters in front of the server: the log and the message name the real client.</summary>
public sealed class SpeakingForOthersTests(PosternServer server)
{
    private const string RealClient = "127.0.0.5";

    [Theory]
    [InlineData("send-proxy")]
    [InlineData("send-proxy-v2")]
    [InlineData("send-proxy-v2 proxy-v2-options crc32c,unique-id")]
    [InlineData("send-proxy-v2-ssl-cn")]
    public async Task Haproxy_names_the_real_client(string options)
    {
        await using var haproxy = await HaproxyProcess.StartAsync(server, "proxied", options);
        var recipient = PosternServer.NewRecipient();

        (await SubmitAsync(haproxy.Port, recipient, "--local-interface", RealClient)).AssertSucceeded();

        await AssertClientAsync(recipient, "proxied", RealClient);
    }

    [Fact]
    public async Task Row_107_without_its_header_a_balancer_gets_no_greeting()
    {
        await using var haproxy = await HaproxyProcess.StartAsync(server, "proxied", string.Empty);
        var run = await SubmitAsync(haproxy.Port, PosternServer.NewRecipient());

        Assert.NotEqual(0, run.ExitCode);
        Assert.DoesNotContain("220 ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Swaks_speaks_for_another_client_by_xclient()
    {
        const string Client = "192.0.2.77";
        var recipient = PosternServer.NewRecipient();

        (await SubmitAsync(server.Port("filtered"), recipient, "--xclient-addr", Client, "--xclient-name", "far.example")).AssertSucceeded();

        await AssertClientAsync(recipient, "filtered", Client);
        Assert.Contains($"127.0.0.1 made 127.0.0.1 into {Client}: far.example[{Client}]", await server.LoggedAsync("\"what\":\"xclient\""), StringComparison.Ordinal);
    }

    private async Task AssertClientAsync(string recipient, string listener, string client)
    {
        await server.LoggedAsync("\"event\":\"accepted\"", $"\"listener\":\"{listener}\"", $"\"client\":\"{client}\"", recipient);
        Assert.Contains($"[{client}]", (await server.MessageForAsync(recipient)).Text, StringComparison.Ordinal);
    }

    private async Task<ProgramResult> SubmitAsync(int port, string recipient, params string[] more) =>
        await RunningProgram.RunAsync(
        [
            Peer.Require("swaks"),
            "--server", "127.0.0.1", "--port", $"{port}", "--ehlo", "client.test", "--tls",
            "--auth", "PLAIN", "--auth-user", PosternServer.User, "--auth-password", PosternServer.Password,
            "--from", PosternServer.Sender, "--to", recipient,
            "--data", "@" + await server.NewFileAsync("message", Encoding.ASCII.GetBytes("Subject: hello\r\n\r\nBody")), "--suppress-data", .. more,
        ]);
}
