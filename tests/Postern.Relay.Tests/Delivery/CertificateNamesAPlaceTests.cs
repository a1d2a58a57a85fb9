using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Accounts.OAuth;
using Postern.Relay.Delivery;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>A next hop's certificate says where its issuer can be had: here, at a listener of the test.</summary>
public sealed class CertificateNamesAPlaceTests
{
    [Theory]
    [InlineData("required", true)]
    [InlineData("required", false)]
    [InlineData("opportunistic", false)]
    public async Task Row_180_a_next_hop_whose_certificate_names_a_place_for_its_issuer_makes_us_fetch_nothing(string tls, bool hasRoots)
    {
        using var place = new TcpListener(IPAddress.Loopback, port: 0);
        place.Start();
        using var root = new CertificateRequest("CN=root", RSA.Create(2048), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) { CertificateExtensions = { new X509BasicConstraintsExtension(true, false, 0, true) } }
            .CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(40), DateTimeOffset.UnixEpoch.AddYears(140));
        using var below = Issue(root, "CN=below", new X509BasicConstraintsExtension(true, false, 0, true));
        using var leaf = Issue(below, "CN=localhost", new X509AuthorityInformationAccessExtension(ocspUris: null, [$"http://127.0.0.1:{((IPEndPoint)place.LocalEndpoint).Port}/below.cer"]));
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = leaf });
        var route = new Route("*", $"smtp://localhost:{sink.Port}?tls={tls}") { Trusted = hasRoots ? [root] : null };
        await using var rig = new DeliveryRig(DeliveryRig.Options(route));
        rig.Scheduler.Start();

        var id = await rig.AddAsync("b@there.test");
        if (tls == "opportunistic")
            await rig.Spool.GoneAsync(id);
        else
            await rig.Spool.UpdatedAsync(id, static s => s.Attempts == 1);

        Assert.False(place.Pending());
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public async Task Row_182_a_name_that_leads_to_this_machine_is_not_fetched_from(string address)
    {
        using var http = GuardedFetch.Create((_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(address)]));

        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(new Uri("http://login.example/keys"), TestContext.Current.CancellationToken));

        Assert.Contains("login.example leads to", refused.ToString(), StringComparison.Ordinal);
    }

    private static X509Certificate2 Issue(X509Certificate2 issuer, string subject, X509Extension extension)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) { CertificateExtensions = { extension } };
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(issuer, issuer.NotBefore, issuer.NotAfter, RandomNumberGenerator.GetBytes(8));
        using var joined = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(joined.Export(X509ContentType.Pkcs12), password: null);
    }
}
