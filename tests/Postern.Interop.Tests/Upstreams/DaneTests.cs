using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Interop.Tests.Server;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Tls;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Interop.Tests.Upstreams;

/// <summary>DANE with what it meets in the world: the signatures of ldns, an unbound that validates them, and a Postfix that receives.</summary>
public sealed class DaneTests
{
    [Fact]
    public async Task A_postfix_is_proven_by_what_unbound_has_validated_and_by_nothing_else()
    {
        PostfixMaster.Require();
        Peer.Require("unbound");
        Peer.Require("ldns-signzone");
        using var authority = TestAuthority.Create("the authority of signed.test");
        using var issuer = authority.CreateIntermediate("its intermediate");
        using var certificate = issuer.IssueServer(["mx.signed.test"]);
        var directory = Directory.CreateTempSubdirectory("postern-dane-");
        var pem = Path.Combine(directory.FullName, "certificate.pem");
        await File.WriteAllTextAsync(
            pem, $"{certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()}\n{certificate.ExportCertificatePem()}\n{issuer.Certificate.ExportCertificatePem()}\n", TestContext.Current.CancellationToken);
        await using var postfix = await PostfixMaster.ListenAsync(
            directory.FullName,
            $"myhostname = mx.signed.test\nsmtpd_tls_security_level = may\nsmtpd_tls_chain_files = {pem}\n",
            static port => $"127.0.0.1:{port} inet n - n - - smtpd\n");
        var port = postfix.Port;
        var (key, anchor) = (Hex(certificate.PublicKey.ExportSubjectPublicKeyInfo()), Hex(issuer.Certificate.RawData));
        var wrong = Hex([1]);
        await using var resolver = await ValidatingResolver.StartAsync(
            $"""
             @ IN MX 10 mx
             mx IN A 127.0.0.1
             _{port}._tcp.mx IN TLSA 3 1 1 {key}
             anchored IN MX 10 mx.anchored
             mx.anchored IN A 127.0.0.1
             _{port}._tcp.mx.anchored IN CNAME _dane
             _dane IN TLSA 2 0 1 {anchor}
             named IN MX 10 alias
             alias IN CNAME mx
             wrong IN MX 10 mx.wrong
             mx.wrong IN A 127.0.0.1
             _{port}._tcp.mx.wrong IN TLSA 3 1 1 {wrong}
             none IN MX 10 mx.none
             mx.none IN A 127.0.0.1
             spoilt IN MX 4711 mx
             """,
            $"""
             @ IN MX 10 mx.signed.test.
             unsigned IN MX 10 mx
             mx IN A 127.0.0.1
             _{port}._tcp.mx IN TLSA 3 1 1 {wrong}
             """);

        async Task<(bool, bool, string?, string?)> AskAsync(string domain)
        {
            var options = new DeliveryOptions
            {
                Hostname = Domain.Parse("sender.test"),
                Routes = RouteTable.Mx,
                Resolvers = [resolver.EndPoint],
                AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8")],
                MxPort = port,
                Tls = DeliveryTls.Create(new TlsRule("*", TlsLevel.Dane), []).Tls!,
            };
            var result = await new TlsCheck(options, policies: null, TimeProvider.System).RunAsync(Domain.Parse(domain), TestContext.Current.CancellationToken);
            var host = result.Hosts.FirstOrDefault();
            return (result.WouldGo, result.IsAuthentic, host?.Trust, host?.Fault);
        }

        Assert.Equal((true, true, "verified", null), await AskAsync("signed.test"));
        Assert.Equal((true, true, "verified", null), await AskAsync("named.signed.test"));
        // Below an anchor the name counts: the certificate is for mx.signed.test.
        Assert.Equal((false, true, null, "certificate-host-mismatch"), await AskAsync("anchored.signed.test"));
        Assert.Equal((false, true, null, "validation-failure"), await AskAsync("wrong.signed.test"));
        Assert.Equal((true, true, "unverified", null), await AskAsync("none.signed.test"));
        Assert.Equal((false, false, null, null), await AskAsync("spoilt.signed.test"));
        Assert.Equal((true, false, "host_only", null), await AskAsync("plain.test"));
        Assert.Equal((true, false, "unverified", null), await AskAsync("unsigned.plain.test"));
    }

    private static string Hex(byte[] data) => Convert.ToHexStringLower(SHA256.HashData(data));
}
