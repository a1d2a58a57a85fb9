using System.Collections.Frozen;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Certificates;
using Postern.Sasl;
using Postern.Smtp;
using Postern.Smtp.Policy;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A client's certificate says where its issuer can be had: here, at a listener of the test. It is shown, and a login is made by it.</summary>
public sealed class ClientCertificateNamesAPlaceTests : IDisposable
{
    private static readonly X509Certificate2 Server = TestCertificate.Create("mail.example.org");

    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
    private readonly DirectoryFixture fixture = new();

    private CancellationToken Ct => patience.Token;

    public void Dispose()
    {
        fixture.Dispose();
        patience.Dispose();
    }

    [Fact]
    public async Task Row_183_a_client_whose_certificate_names_a_place_for_its_issuer_makes_the_server_fetch_nothing()
    {
        using var place = new TcpListener(IPAddress.Loopback, port: 0);
        place.Start();
        var where = $"http://127.0.0.1:{((IPEndPoint)place.LocalEndpoint).Port}/below.cer";
        using var authority = TestAuthority.Create("clients");
        using var below = authority.CreateIntermediate("below");
        using var certificate = below.IssueClient("CN=lisa", emails: ["lisa@example.org"], extension: new X509AuthorityInformationAccessExtension(ocspUris: [where], [where]));
        fixture.AddAccount("lisa@example.org");
        var accounts = new AccountVerifiers([fixture.Store()], fixture.Pool, new VerificationCache(fixture.Clock), TimeProvider.System);
        var users = new CertificateUsers(
            new CertificateRules(new CertificateAuthorities([authority.Certificate], []), CertificateName.Email, FrozenDictionary<string, string>.Empty), accounts, TimeProvider.System);
        await using var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.Implicit, AsksForClientCertificate = true }],
            Policy = EnvelopePolicy.LoggedInOnly,
            Store = new MemoryStore(),
            Tls = new TlsOptions(Server),
            Sasl = new SaslContext(),
            ClientCertificateUsers = users,
        });
        server.Start();
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(server.Endpoints[0].Endpoint, Ct);
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "mail.example.org", ClientCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true), RemoteCertificateValidationCallback = static (_, _, _, _) => true },
            Ct);
        using var reader = new StreamReader(tls);
        await tls.WriteAsync(Encoding.ASCII.GetBytes("EHLO client.test\r\nAUTH EXTERNAL =\r\nQUIT\r\n"), Ct);

        var said = await reader.ReadToEndAsync(Ct);

        Assert.Contains("AUTH EXTERNAL", said, StringComparison.Ordinal);
        Assert.Contains("\r\n535 5.7.8 ", said, StringComparison.Ordinal); // the intermediate is nowhere to be had
        Assert.False(place.Pending());
    }
}
