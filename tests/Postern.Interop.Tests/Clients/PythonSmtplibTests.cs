using System.Text.Json;
using Postern.Interop.Tests.Server;

namespace Postern.Interop.Tests.Clients;

/// <summary>Python's smtplib, with a message that Python composes.</summary>
public sealed class PythonSmtplibTests(PosternServer server)
{
    /// <summary>The system's own: a python3 that stands first in PATH may lack ssl.</summary>
    private const string SystemPython = "/usr/bin/python3";

    [Theory]
    [InlineData(Way.StartTls, "PLAIN", true)]
    [InlineData(Way.StartTls, "PLAIN", false)]
    [InlineData(Way.StartTls, "LOGIN", true)]
    [InlineData(Way.Implicit, "PLAIN", true)]
    [InlineData(Way.Implicit, "LOGIN", true)]
    [InlineData(Way.Implicit, "LOGIN", false)]
    [InlineData(Way.StartTls, null, true)]
    public async Task Smtplib_submits_a_message_that_arrives_unchanged(Way way, string? mechanism, bool initialResponse)
    {
        var recipient = PosternServer.NewRecipient();

        var answer = await RunAsync(new ScriptJob(recipient, way, mechanism, initialResponse, PosternServer.Password));

        Relayed.AssertComposed(answer, await server.MessageForAsync(recipient));
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    public async Task Smtplib_reports_a_wrong_password_and_logs_in_within_the_same_session(string mechanism)
    {
        var recipient = PosternServer.NewRecipient();

        var answer = await RunAsync(new ScriptJob(recipient, Way.StartTls, mechanism, InitialResponse: true, PosternServer.WrongPassword, PosternServer.Password));

        var logins = answer.GetProperty("logins");
        Assert.Equal("SMTPAuthenticationError", logins[0].GetProperty("failure").GetString());
        Assert.Equal(535, logins[0].GetProperty("code").GetInt32());
        Assert.Equal(235, logins[1].GetProperty("code").GetInt32());
        Relayed.AssertComposed(answer, await server.MessageForAsync(recipient));
    }

    private Task<JsonElement> RunAsync(ScriptJob job) =>
        job.RunAsync(server, File.Exists(SystemPython) ? SystemPython : Peer.Require("python3"), "smtplib_client.py");
}
