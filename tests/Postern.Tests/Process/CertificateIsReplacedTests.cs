using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>Row 24, seen from outside: a renewed certificate is shown by the next handshake, and no session is dropped.</summary>
[Collection(nameof(ProcessTests))]
public sealed class CertificateIsReplacedTests
{
    [Fact]
    public async Task After_sighup_the_next_handshake_shows_the_new_certificate_and_the_open_session_goes_on()
    {
        using var home = await ProcessTests.HomeAsync(more: "tls: { certificate: cert.pem, key: key.pem }");
        var first = Write(home);
        await using var server = await home.ServeAsync();
        await using var open = await SmtpDialogue.GreetAsync(server["submissions"], implicitTls: true);
        Assert.Equal(first, await SerialAsync(server));

        var second = Write(home);
        server.SendHangUp();
        var replaced = await server.Output.FindAsync(static line => line.Contains("certificate_replaced", StringComparison.Ordinal));
        Assert.Contains(second, replaced, StringComparison.Ordinal);
        Assert.Equal(second, await SerialAsync(server));
        await open.SayAsync("NOOP", "250");

        await File.WriteAllTextAsync(Path.Combine(home.Root, "cert.pem"), "nothing of use", ProcessTests.Stop);
        server.SendHangUp();
        await server.Output.FindAsync(static line => line.Contains("certificate_refused", StringComparison.Ordinal));
        Assert.Equal(second, await SerialAsync(server));
        await open.SayAsync("NOOP", "250");
        Assert.Equal(0, await server.StopAsync());
    }

    private static string Write(PosternHome home)
    {
        using var certificate = TestCertificate.Create("mail.example.org");
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(Path.Combine(home.Root, "key.pem"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(home.Root, "cert.pem"), certificate.ExportCertificatePem());
        return certificate.SerialNumber;
    }

    private static async Task<string> SerialAsync(PosternProcess server)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server["submissions"], ProcessTests.Stop);
        await using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, static (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("mail.example.org");
        using var shown = new X509Certificate2(tls.RemoteCertificate!);
        return shown.SerialNumber;
    }
}
