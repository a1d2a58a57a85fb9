using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Clients;

/// <summary>gsasl, the GNU SASL client: it speaks every mechanism it knows to an SMTP server, and checks what the server proves.</summary>
public sealed class GsaslTests(PosternServer server)
{
    [Theory]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("PLAIN")]
    [InlineData("LOGIN")]
    public async Task Gsasl_logs_in_with_the_right_password_and_is_told_of_a_wrong_one(string mechanism)
    {
        var refused = await RunAsync(mechanism, PosternServer.User, PosternServer.WrongPassword);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("535 5.7.8", refused.Output + refused.Error, StringComparison.Ordinal);

        var stranger = await RunAsync(mechanism, "nobody@sender.test", PosternServer.Password);
        Assert.NotEqual(0, stranger.ExitCode);
        Assert.Contains("535 5.7.8", stranger.Output + stranger.Error, StringComparison.Ordinal);

        var taken = await RunAsync(mechanism, PosternServer.User, PosternServer.Password);
        taken.AssertSucceeded();
        Assert.Contains("235 2.7.0", taken.Output, StringComparison.Ordinal);
    }

    /// <summary>It looks for lines that begin 250-STARTTLS, with a hyphen, and then for 250-AUTH.</summary>
    [Fact]
    public async Task Gsasl_finds_starttls_in_the_offer_by_itself()
    {
        var taken = await RunAsync("PLAIN", PosternServer.User, PosternServer.Password, "--verbose");
        taken.AssertSucceeded();
        Assert.Contains("\nSTARTTLS\n", taken.Output.Replace("\r", string.Empty, StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("235 2.7.0", taken.Output, StringComparison.Ordinal);
    }

    private Task<ProgramResult> RunAsync(string mechanism, string user, string password, string tls = "--starttls") =>
        RunningProgram.RunAsync(
        [
            Peer.Require("gsasl"),
            "--smtp", $"--connect=127.0.0.1:{server.Port(Way.StartTls)}", tls, $"--x509-ca-file={server.CertificateFile}", "--no-cb",
            "--mechanism", mechanism, "--authentication-id", user, "--password", password,
        ]);
}
