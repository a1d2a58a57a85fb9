using System.Text.Json;
using Postern.Interop.Tests.Server;

namespace Postern.Interop.Tests.Clients;

/// <summary>PHPMailer, which most web applications send with, and a message that it composes.</summary>
public sealed class PhpMailerTests(PosternServer server)
{
    private const string Library = "/usr/share/php/libphp-phpmailer/autoload.php";

    [Theory]
    [InlineData(Way.StartTls, "PLAIN")]
    [InlineData(Way.StartTls, "CRAM-MD5")]
    [InlineData(Way.Implicit, "LOGIN")]
    [InlineData(Way.StartTls, null)]
    public async Task PhpMailer_submits_a_message_that_arrives_unchanged(Way way, string? mechanism)
    {
        var recipient = PosternServer.NewRecipient();

        var answer = await RunAsync(new ScriptJob(recipient, way, mechanism, InitialResponse: true, PosternServer.Password));

        Assert.Contains("250 2.0.0 ", answer.GetProperty("attempts")[0].GetProperty("response").GetString(), StringComparison.Ordinal);
        Relayed.AssertComposed(answer, await server.MessageForAsync(recipient));
    }

    [Fact]
    public async Task PhpMailer_reports_a_wrong_password_and_the_right_one_works_after_it()
    {
        var recipient = PosternServer.NewRecipient();

        var answer = await RunAsync(new ScriptJob(recipient, Way.Implicit, "LOGIN", InitialResponse: true, PosternServer.WrongPassword, PosternServer.Password));

        Assert.Equal(535, answer.GetProperty("attempts")[0].GetProperty("code").GetInt32());
        Relayed.AssertComposed(answer, await server.MessageForAsync(recipient));
    }

    private Task<JsonElement> RunAsync(ScriptJob job)
    {
        var php = Peer.Require("php");
        Assert.SkipUnless(File.Exists(Library), "libphp-phpmailer is not installed");
        return job.RunAsync(server, php, "phpmailer_client.php");
    }
}
