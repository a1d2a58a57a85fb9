using System.Text.Json;
using Postern.Interop.Tests.Server;

namespace Postern.Interop.Tests.Clients;

/// <summary>Jakarta Mail (JavaMail), and a message that it composes.</summary>
public sealed class JakartaMailTests(PosternServer server)
{
    private const string Mail = "/usr/share/java/jakarta-mail.jar";
    private const string Activation = "/usr/share/java/jakarta-activation.jar";

    [Theory]
    [InlineData(Way.StartTls, "PLAIN")]
    [InlineData(Way.Implicit, "LOGIN")]
    [InlineData(Way.StartTls, null)]
    public async Task Jakarta_mail_submits_a_message_that_arrives_unchanged(Way way, string? mechanism)
    {
        var recipient = PosternServer.NewRecipient();

        var answer = await RunAsync(new ScriptJob(recipient, way, mechanism, InitialResponse: true, PosternServer.WrongPassword, PosternServer.Password));

        var attempts = answer.GetProperty("attempts");
        Assert.Equal(535, attempts[0].GetProperty("code").GetInt32());
        Assert.StartsWith("250 2.0.0 ", attempts[1].GetProperty("response").GetString(), StringComparison.Ordinal);
        Relayed.AssertComposed(answer, await server.MessageForAsync(recipient));
    }

    private Task<JsonElement> RunAsync(ScriptJob job)
    {
        // A source file is run by the compiler that comes with it.
        var java = Path.Combine(Path.GetDirectoryName(Peer.Require("javac"))!, "java");
        Assert.SkipUnless(File.Exists(Mail), "libjakarta-mail-java is not installed");
        return job.RunAsync(server, [java, "-cp", $"{Mail}:{Activation}"], "JakartaMailClient.java");
    }
}
