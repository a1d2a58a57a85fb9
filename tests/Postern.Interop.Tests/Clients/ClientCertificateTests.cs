using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Clients;

/// <summary>AUTH EXTERNAL from programs that have a certificate.</summary>
public sealed class ClientCertificateTests(CertificateServer server) : IClassFixture<CertificateServer>
{
    private const int LoginDenied = 67;

    [Theory]
    [InlineData(Way.StartTls)]
    [InlineData(Way.Implicit)]
    public async Task Curl_submits_a_message_with_a_certificate(Way way)
    {
        (await CurlAsync(way, server.Client)).AssertSucceeded();

        await server.LoginAsync("EXTERNAL", way == Way.Implicit ? "submissions" : "\"submission\"", $"\"user\":\"{CertificateServer.Account}\"", "\"outcome\":\"ok\"");
    }

    [Fact]
    public async Task Curl_is_told_of_a_certificate_that_nobody_believes()
    {
        var refused = await CurlAsync(Way.StartTls, server.Stranger);

        Assert.Equal(LoginDenied, refused.ExitCode);
        await server.LoginAsync("EXTERNAL", "\"outcome\":\"failed\"", "no authority of external.authority issued it", "fingerprint ");
    }

    [Theory]
    [InlineData(Way.StartTls)]
    [InlineData(Way.Implicit)]
    public async Task Msmtp_submits_a_message_with_a_listed_certificate(Way way)
    {
        var config = server.NewFile("msmtprc");
        await File.WriteAllTextAsync(
            config,
            $"""
            account default
            host 127.0.0.1
            port {server.Port(way)}
            domain client.test
            tls on
            tls_starttls {(way == Way.Implicit ? "off" : "on")}
            tls_trust_file {server.ServerCertificate}
            tls_cert_file {server.Listed}
            tls_key_file {server.Listed}
            auth external
            user printer
            from printer@interop.test

            """,
            TestContext.Current.CancellationToken);
        File.SetUnixFileMode(config, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var run = await RunningProgram.RunAsync([Peer.Require("msmtp"), "-C", config, "--", "bart@example.net"], input: "Subject: page\n\n1\n");

        run.AssertSucceeded();
    }

    [Fact]
    public async Task Gsasl_logs_in_with_a_certificate()
    {
        var run = await RunningProgram.RunAsync(
        [
            Peer.Require("gsasl"), "--smtp", $"--connect=127.0.0.1:{server.Port(Way.StartTls)}", "--starttls", $"--x509-ca-file={server.ServerCertificate}", "--no-cb",
            $"--x509-cert-file={server.Listed}", $"--x509-key-file={server.Listed}", "--mechanism", "EXTERNAL", "--authorization-id", "printer",
        ]);

        run.AssertSucceeded();
        Assert.Contains("235 2.7.0", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_without_a_certificate_is_not_offered_external()
    {
        await using var typed = Connect();
        await typed.ReplyAsync();

        Assert.DoesNotContain("AUTH", await typed.TypeAsync("EHLO client.test"), StringComparison.Ordinal);
        Assert.StartsWith("5", await typed.TypeAsync("AUTH EXTERNAL ="), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dialogue_typed_by_hand_logs_in()
    {
        await using var typed = Connect("-cert", server.Client, "-key", server.Client, "-cert_chain", server.Client);
        await typed.ReplyAsync();

        Assert.Contains("AUTH EXTERNAL", await typed.TypeAsync("EHLO client.test"), StringComparison.Ordinal);
        Assert.Equal("334 ", await typed.TypeAsync("AUTH EXTERNAL"));
        Assert.StartsWith("235 2.7.0 ", await typed.TypeAsync(string.Empty), StringComparison.Ordinal);
    }

    /// <summary>A resumed session shows nothing anew: the certificate is that of the session, and the intermediate came with the first handshake alone.</summary>
    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task A_resumed_session_is_still_its_clients(string version)
    {
        var ticket = server.NewFile("ticket");
        string[] client = [version, "-cert", server.Client, "-key", server.Client, "-cert_chain", server.Client];
        await using (var first = Connect([.. client, "-sess_out", ticket]))
        {
            await first.ReplyAsync();
            await first.TypeAsync("EHLO client.test");
            Assert.StartsWith("235 2.7.0 ", await first.TypeAsync("AUTH EXTERNAL ="), StringComparison.Ordinal);
            await first.TypeAsync("QUIT");
            await first.EndAsync();
        }

        Assert.True(File.Exists(ticket));
        await using var second = Connect([.. client, "-sess_in", ticket]);
        await second.ReplyAsync();
        Assert.Contains("AUTH EXTERNAL", await second.TypeAsync("EHLO client.test"), StringComparison.Ordinal);
        Assert.StartsWith("235 2.7.0 ", await second.TypeAsync("AUTH EXTERNAL ="), StringComparison.Ordinal);
    }

    private TypedDialogue Connect(params string[] more) => new(
        Peer.Require("openssl"), ["s_client", "-quiet", "-connect", $"127.0.0.1:{server.Port(Way.Implicit)}", "-CAfile", server.ServerCertificate, "-crlf", .. more]);

    private async Task<ProgramResult> CurlAsync(Way way, string certificate)
    {
        var message = server.NewFile("message");
        await File.WriteAllTextAsync(message, "Subject: known\r\n\r\nhello\r\n", TestContext.Current.CancellationToken);
        return await RunningProgram.RunAsync(
        [
            Peer.Require("curl"), "--disable", "--silent", "--show-error", "--ssl-reqd", "--cacert", server.ServerCertificate, "--cert", certificate,
            "--url", $"{(way == Way.Implicit ? "smtps" : "smtp")}://127.0.0.1:{server.Port(way)}/client.test",
            "--user", $"{CertificateServer.Account}:", "--login-options", "AUTH=EXTERNAL",
            "--mail-from", CertificateServer.Sender, "--mail-rcpt", "bart@example.net", "--upload-file", message,
        ]);
    }
}
