using System.Net;
using System.Security.Cryptography.X509Certificates;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Smtp.Tests.Client;

/// <summary>Which check of a server's certificate failed, and what was expected and seen.</summary>
public sealed class ServerTrustTests : IDisposable
{
    private readonly TestAuthority authority = TestAuthority.Create("Authority of the test");

    public void Dispose() => authority.Dispose();

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("2001:db8::25")]
    [InlineData("sink.test")]
    public async Task A_server_by_name_or_by_address_is_verified_against_the_name_or_address_in_its_certificate(string server)
    {
        var isAddress = IPAddress.TryParse(server, out var address);
        using var certificate = authority.IssueServer(isAddress ? [] : [server], isAddress ? [address!] : []);
        var (answer, isVerified) = await OpenAsync(certificate, server, [authority.Certificate]);

        Assert.IsType<ClientAnswer.Accepted>(answer);
        Assert.True(isVerified);
    }

    [Fact]
    public async Task A_certificate_that_is_named_itself_needs_no_issuer_and_still_the_right_name()
    {
        using var certificate = authority.IssueServer(["sink.test"]);
        Assert.IsType<ClientAnswer.Accepted>((await OpenAsync(certificate, "sink.test", [certificate])).Answer);
        Assert.StartsWith("wrong name: ", await RefusalAsync(certificate, "other.test", [certificate]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_name_is_told_with_the_names_that_were_expected_and_seen()
    {
        using var certificate = authority.IssueServer(["one.test", "two.test"], [IPAddress.Parse("192.0.2.7")]);
        Assert.Equal("wrong name: the certificate is for one.test, two.test, 192.0.2.7, and sink.test was expected", await RefusalAsync(certificate, "sink.test"));
        Assert.Equal("wrong name: the certificate is for one.test, two.test, 192.0.2.7, and 192.0.2.1 was expected", await RefusalAsync(certificate, "192.0.2.1"));
    }

    [Fact]
    public async Task A_wrong_date_is_told_with_the_dates()
    {
        using var certificate = authority.IssueServer(["sink.test"], validFor: TimeSpan.FromHours(1));
        var refusal = await RefusalAsync(certificate, "sink.test");
        Assert.Matches("^wrong date: .* the certificate is from [0-9-]+ [0-9:]+ to [0-9-]+ [0-9:]+ UTC; the certificate is for sink.test$", refusal);
    }

    [Fact]
    public async Task A_wrong_usage_is_told_with_the_usage_that_was_seen()
    {
        using var certificate = authority.IssueServer(["sink.test"], usage: "1.3.6.1.5.5.7.3.2");
        Assert.Equal("wrong usage: the certificate is not for servers (serverAuth), but for clientAuth; the certificate is for sink.test", await RefusalAsync(certificate, "sink.test"));
    }

    [Fact]
    public async Task An_unknown_issuer_is_told_with_its_name_and_where_it_is_missing()
    {
        using var other = TestAuthority.Create("Another \u00e9 authority");
        using var certificate = other.IssueServer(["sink.test"]);
        Assert.Equal(
            "unknown issuer: 'CN=Another ? authority' issued it, and the way from there to the certificates of 'ca' is missing or leads elsewhere; the certificate is for sink.test",
            await RefusalAsync(certificate, "sink.test"));
        Assert.Contains("this machine's trusted roots is missing", await RefusalAsync(certificate, "sink.test", roots: null, isOfMachine: true), StringComparison.Ordinal);
        using var selfSigned = TestCertificate.Create("sink.test");
        Assert.StartsWith("unknown issuer: the certificate is self-signed, and is not among the certificates of 'ca'", await RefusalAsync(selfSigned, "sink.test"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tls_spoken_to_a_port_in_clear_is_told_as_that()
    {
        await using var sink = new ScriptedSink();
        await using var dialogue = await SinkClient.ConnectAsync(sink, Options("sink.test", roots: null) with { Tls = ClientTls.Implicit });
        var answer = Assert.IsType<ClientAnswer.Broken>(await dialogue.OpenAsync(TestContext.Current.CancellationToken));
        Assert.Equal("the server answers in plain text (220 \u2026): TLS does not come first on this port; smtp:// begins in clear and goes on with STARTTLS", answer.Detail);
    }

    [Theory]
    [InlineData("15030100020246")]
    [InlineData("1503030002020A")]
    public async Task Plain_text_spoken_to_a_port_where_tls_comes_first_is_told_as_that(string alert)
    {
        await using var dialogue = new SmtpClientDialogue(new MemoryStream(Convert.FromHexString(alert)), Options("sink.test", roots: null) with { Tls = ClientTls.None });
        var answer = Assert.IsType<ClientAnswer.Broken>(await dialogue.OpenAsync(TestContext.Current.CancellationToken));
        Assert.Equal("the server speaks TLS where a reply in clear was expected: TLS comes first on this port (smtps://)", answer.Detail);
    }

    private static SmtpClientOptions Options(string server, X509Certificate2Collection? roots) =>
        new() { Hostname = Domain.Parse("client.test"), ServerName = server, Tls = ClientTls.Required, TrustedRoots = roots };

    private static async Task<(ClientAnswer Answer, bool IsVerified)> OpenAsync(X509Certificate2 certificate, string server, X509Certificate2Collection? roots)
    {
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = certificate });
        await using var dialogue = await SinkClient.ConnectAsync(sink, Options(server, roots));
        return (await dialogue.OpenAsync(TestContext.Current.CancellationToken), dialogue.IsVerified);
    }

    private async Task<string> RefusalAsync(X509Certificate2 certificate, string server, X509Certificate2Collection? roots = null, bool isOfMachine = false)
    {
        var (answer, isVerified) = await OpenAsync(certificate, server, isOfMachine ? null : roots ?? [authority.Certificate]);
        Assert.False(isVerified);
        var broken = Assert.IsType<ClientAnswer.Broken>(answer);
        Assert.Equal(ClientFault.TlsFailed, broken.Fault);
        return broken.Detail;
    }
}
