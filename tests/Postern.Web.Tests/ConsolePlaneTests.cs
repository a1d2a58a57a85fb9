using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Postern.Smtp.Transport;
using Postern.Web.Calls;
using Postern.Web.Doors;
using Postern.Web.Tests.Access;

namespace Postern.Web.Tests;

/// <summary>The console on a real port, wherever it is configured.</summary>
public sealed class ConsolePlaneTests : IAsyncDisposable
{
    private static readonly IPEndPoint Loopback = new(IPAddress.Loopback, 0);

    private readonly AccessRig rig = new();
    private readonly List<string> told = [];
    private readonly ConsolePlane console;

    public ConsolePlaneTests() => console = new ConsolePlane(
        PlaneRig.Serve(rig.Clock, (what, detail) => told.Add($"{what}: {detail}")), () => rig.Access, "mail.example.org");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Https_shows_the_certificate_of_now_and_speaks_both_versions()
    {
        var tls = TlsOptions.SelfSigned("localhost");
        await console.ApplyAsync(new WebOptions([Loopback]) { Tls = tls }, "https://localhost", Ct);
        Assert.StartsWith("web_started: 127.0.0.1:", Assert.Single(told), StringComparison.Ordinal);

        Assert.Equal((HttpStatusCode.Unauthorized, HttpVersion.Version20, tls.Certificate.Thumbprint), await AskAsync(HttpVersion.Version20));
        tls.Replace(new TlsCertificate(TlsOptions.SelfSigned("localhost").Certificate));
        Assert.Equal((HttpStatusCode.Unauthorized, HttpVersion.Version11, tls.Certificate.Thumbprint), await AskAsync(HttpVersion.Version11));
    }

    [Fact]
    public async Task A_port_in_use_is_told_and_tried_again_with_the_next_change()
    {
        using var other = new TcpListener(Loopback);
        other.Start();
        var options = new WebOptions([(IPEndPoint)other.LocalEndpoint]);

        await console.ApplyAsync(options, string.Empty, Ct);
        Assert.StartsWith("web_unavailable: the console and the API are not there, and mail goes on:", Assert.Single(told), StringComparison.Ordinal);
        Assert.Empty(console.Endpoints);

        other.Stop();
        await console.ApplyAsync(options, string.Empty, Ct);
        Assert.Equal(options.Listen, console.Endpoints);
        await console.ApplyAsync(new WebOptions([]), string.Empty, Ct);
        Assert.Empty(console.Endpoints);
    }

    [Fact]
    public async Task A_page_leads_to_the_setup_while_nobody_can_let_others_in()
    {
        await console.ApplyAsync(new WebOptions([Loopback]), string.Empty, Ct);
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler);

        using var answer = await client.GetAsync(new Uri($"http://{console.Endpoints[0]}/queue"), Ct);

        Assert.Equal((HttpStatusCode.SeeOther, "/setup"), (answer.StatusCode, answer.Headers.Location?.ToString()));
    }

    public async ValueTask DisposeAsync()
    {
        await console.DisposeAsync();
        rig.Dispose();
    }

    private async Task<(HttpStatusCode Status, Version Version, string? Thumbprint)> AskAsync(Version version)
    {
        string? shown = null;
        using var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    shown = certificate?.GetCertHashString();
                    return true;
                },
            },
        };
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://localhost:{console.Endpoints[0].Port}{Route.Base}/status")
        {
            Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var answer = await client.SendAsync(request, Ct);
        return (answer.StatusCode, answer.Version, shown);
    }
}
