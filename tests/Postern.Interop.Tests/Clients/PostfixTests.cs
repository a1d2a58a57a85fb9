using Postern.Interop.Tests.Server;

namespace Postern.Interop.Tests.Clients;

/// <summary>Postfix as a client: a relay host, SASL, and TLS that it insists on.</summary>
public sealed class PostfixTests(PosternServer server)
{
    private const string OwnField = "Received";

    [Theory]
    [InlineData("sink.test")]
    [InlineData("login.sink.test")]
    [InlineData("implicit.sink.test")]
    public async Task Postfix_relays_a_message_that_arrives_unchanged(string domain)
    {
        PostfixMaster.Require();
        await using var postfix = await PostfixInstance.StartAsync(server, PosternServer.Password);
        var message = SampleMessage.To($"{Guid.NewGuid():N}@{domain}");

        await postfix.SubmitAsync(message);

        Relayed.AssertSame(message.Content, await server.MessageForAsync(message.Recipient), OwnField);
        Assert.Contains("dsn=2.0.0, status=sent (250 2.0.0 Queued as ", await postfix.LoggedAsync($"to=<{message.Recipient}>"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Postfix_defers_on_a_wrong_password_and_delivers_once_it_is_right()
    {
        PostfixMaster.Require();
        await using var postfix = await PostfixInstance.StartAsync(server, PosternServer.WrongPassword);
        var message = SampleMessage.To(PosternServer.NewRecipient());

        await postfix.SubmitAsync(message);
        var deferred = await postfix.LoggedAsync($"to=<{message.Recipient}>");
        await postfix.SetPasswordAsync(PosternServer.Password);
        var arrived = await postfix.RetryAsync(server.MessageForAsync(message.Recipient));

        Assert.Contains("status=deferred (SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 535 5.7.8 Authentication failed", deferred, StringComparison.Ordinal);
        Relayed.AssertSame(message.Content, arrived, OwnField);
    }

    [Fact]
    public async Task Postfix_tells_by_xforward_where_a_message_came_from()
    {
        PostfixMaster.Require();
        await using var postfix = await PostfixInstance.StartAsync(server, PosternServer.Password);
        var message = SampleMessage.To(PosternServer.NewRecipient());

        await postfix.SubmitAsync(message);

        Assert.Contains("source=LOCAL", await server.LoggedAsync("\"event\":\"accepted\"", message.Recipient, "\"forwarded\":\""), StringComparison.Ordinal);
    }
}
