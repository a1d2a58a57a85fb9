using System.Text.Json;
using Postern.Interop.Tests.Server;

namespace Postern.Interop.Tests.Clients;

/// <summary>nodemailer, with a message that it composes.</summary>
public sealed class NodemailerTests(PosternServer server)
{
    [Theory]
    [InlineData(Way.StartTls, "PLAIN")]
    [InlineData(Way.StartTls, "LOGIN")]
    [InlineData(Way.Implicit, "PLAIN")]
    [InlineData(Way.Implicit, "LOGIN")]
    [InlineData(Way.StartTls, null)]
    public async Task Nodemailer_submits_a_message_that_arrives_unchanged(Way way, string? mechanism)
    {
        var recipient = PosternServer.NewRecipient();

        var answer = await RunAsync(new ScriptJob(recipient, way, mechanism, InitialResponse: true, PosternServer.Password));

        Assert.StartsWith("250 2.0.0 ", answer.GetProperty("attempts")[0].GetProperty("response").GetString(), StringComparison.Ordinal);
        Relayed.AssertComposed(answer, await server.MessageForAsync(recipient));
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    public async Task Nodemailer_reports_a_wrong_password_and_the_right_one_works_after_it(string mechanism)
    {
        var recipient = PosternServer.NewRecipient();

        var answer = await RunAsync(new ScriptJob(recipient, Way.Implicit, mechanism, InitialResponse: true, PosternServer.WrongPassword, PosternServer.Password));

        var refused = answer.GetProperty("attempts")[0];
        Assert.Equal("EAUTH", refused.GetProperty("failure").GetString());
        Assert.Equal(535, refused.GetProperty("code").GetInt32());
        Relayed.AssertComposed(answer, await server.MessageForAsync(recipient));
    }

    private Task<JsonElement> RunAsync(ScriptJob job)
    {
        var node = Peer.Require("node");
        Peer.RequireNodePackage("nodemailer");
        return job.RunAsync(server, node, "nodemailer_client.mjs");
    }
}
