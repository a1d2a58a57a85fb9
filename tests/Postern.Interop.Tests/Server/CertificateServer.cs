using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>A <c>postern serve</c> that knows its clients by their certificates: those of an authority, and one that is listed.</summary>
public sealed class CertificateServer : ServedHome
{
    public const string Account = "lisa@sender.test";
    public const string Sender = "sender@interop.test";

    /// <summary>Of <see cref="Account"/>, by an intermediate that stands behind it in the file.</summary>
    public string Client => Path.Combine(Directory.FullName, "client.pem");

    /// <summary>Self-signed, and listed for the account <c>printer</c>.</summary>
    public string Listed => Path.Combine(Directory.FullName, "listed.pem");

    /// <summary>Self-signed, with the name of <see cref="Account"/> in it.</summary>
    public string Stranger => Path.Combine(Directory.FullName, "stranger.pem");

    /// <summary>The server's own.</summary>
    public string ServerCertificate => Path.Combine(Directory.FullName, "server.pem");

    public string NewFile(string name) => Path.Combine(Directory.CreateSubdirectory(Guid.NewGuid().ToString("N")).FullName, name);

    protected override async Task<PosternProcess> StartAsync()
    {
        using var authority = TestAuthority.Create("clients");
        using var intermediate = authority.CreateIntermediate("devices");
        using var client = intermediate.IssueClient("CN=lisa", emails: [Account]);
        using var listed = TestCertificate.Create("printer.test");
        using var strangers = TestAuthority.Create("strangers");
        using var stranger = strangers.IssueClient("CN=lisa", emails: [Account]);
        Write(Client, client, intermediate.Certificate);
        Write(Listed, listed);
        Write(Stranger, stranger);
        Write(ServerCertificate, TestCertificate.Instance);
        var root = Path.Combine(Directory.FullName, "authority.pem");
        await File.WriteAllTextAsync(root, authority.Certificate.ExportCertificatePem());

        Home = new PosternHome(Path.Combine(AppContext.BaseDirectory, "postern.dll"), $$"""
            server: { hostname: postern.test, data: data }
            tls: { certificate: {{ServerCertificate}}, key: {{ServerCertificate}} }
            listeners:
              - { name: submission, listen: ["127.0.0.1:0"], tls: starttls, client_certificates: request }
              - { name: submissions, listen: ["127.0.0.1:0"], tls: implicit, client_certificates: request, mechanisms: [EXTERNAL] }
            external:
              authority: {{root}}
              certificates:
                - { fingerprint: "{{string.Join(':', Convert.FromHexString(listed.GetCertHashString(HashAlgorithmName.SHA256)).Select(static o => $"{o:X2}"))}}", account: printer }

            """);
        foreach (var account in (string[])[Account, "printer"])
            (await Home.RunAsync("account", "add", account, "--address", account == Account ? Sender : "printer@interop.test")).AssertSucceeded();
        return await Home.ServeAsync();
    }

    /// <summary>Certificate, chain and key in one file, as most programs take them.</summary>
    private static void Write(string file, X509Certificate2 certificate, params ReadOnlySpan<X509Certificate2> chain)
    {
        var text = $"{certificate.ExportCertificatePem()}\n";
        foreach (var link in chain)
            text += $"{link.ExportCertificatePem()}\n";
        File.WriteAllText(file, $"{text}{certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
