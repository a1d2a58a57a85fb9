using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>What is wrong is named with its place, exit code 2, and nothing listens.</summary>
[Collection(nameof(ProcessTests))]
public sealed class WrongConfigurationStopsTheStartTests
{
    private const int WrongConfiguration = 2;

    [Fact]
    public async Task An_unknown_key_is_named_with_line_column_and_nearest_key()
    {
        var serve = await ServeAsync("listeners:\n  - name: plain\n    listen: [\"127.0.0.1:0\"]\n    tsl: none\n");

        Assert.Contains(":5:5: listeners[0].tsl: unknown key; did you mean 'tls'?", serve.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_section_that_does_not_exist_is_an_error_and_not_ignored()
    {
        var serve = await ServeAsync("chapters: {}\n");

        Assert.Contains(":2:1: chapters: unknown key", serve.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_names_the_listener_the_address_and_what_to_do()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        var serve = await ServeAsync($"listeners:\n  - {{ name: submission, listen: [\"{taken.LocalEndpoint}\"] }}\n");

        Assert.Contains($"listener 'submission' cannot listen on {taken.LocalEndpoint}: something already listens there", serve.Error, StringComparison.Ordinal);
        Assert.Contains($"Free {taken.LocalEndpoint}, or give listener 'submission' another address in ", serve.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_of_another_machine_is_not_to_be_freed()
    {
        using var home = new PosternHome(ProcessTests.Dll, "server: { hostname: mail.example.org, data: data }\nlisteners: [{ name: a, listen: [\"192.0.2.9:2525\"] }]\n");

        var serve = await home.RunAsync("serve");

        Assert.Equal(2, serve.ExitCode);
        Assert.Contains("Give listener 'a' an address of this machine", serve.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Free ", serve.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_file_that_is_missing_is_named()
    {
        var serve = await ServeAsync("tls: { certificate: cert.pem, key: none.pem }\n", static home => WriteCertificate(home, out _));

        Assert.Matches(@":2:\d+: tls\.key: .*none\.pem does not exist", serve.Error);
    }

    [Fact]
    public async Task A_key_file_that_may_not_be_read_is_named_with_the_user()
    {
        using var home = new PosternHome(ProcessTests.Dll, "server: { data: data }\ntls: { certificate: cert.pem, key: key.pem }\n");
        WriteCertificate(home, out var key);
        File.SetUnixFileMode(key, UnixFileMode.None);
        if (Environment.IsPrivilegedProcess)
            await OtherUser.OwnAsync(home.Root);

        var serve = Environment.IsPrivilegedProcess ? await OtherUser.RunAsync(home, "serve") : await home.RunAsync("serve");

        Assert.Equal(WrongConfiguration, serve.ExitCode);
        Assert.Matches(@":2:\d+: tls\.key: .*key\.pem cannot be read by ", serve.Error);
    }

    [Fact]
    public async Task A_key_of_another_certificate_is_named()
    {
        var serve = await ServeAsync("tls: { certificate: cert.pem, key: key.pem }\n", static home =>
        {
            WriteCertificate(home, out var key);
            using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            File.WriteAllText(key, other.ExportPkcs8PrivateKeyPem());
        });

        Assert.Matches(@":2:\d+: tls\.key: the key in .*key\.pem does not belong to the certificate in .*cert\.pem", serve.Error);
    }

    [Fact]
    public async Task A_certificate_file_that_holds_none_is_named()
    {
        var serve = await ServeAsync("tls: { certificate: cert.pem, key: key.pem }\n", static home =>
        {
            WriteCertificate(home, out _);
            File.WriteAllText(Path.Combine(home.Root, "cert.pem"), "not a certificate\n");
        });

        Assert.Matches(@":2:\d+: tls\.certificate: .*cert\.pem holds no PEM certificate", serve.Error);
    }

    private static async Task<ProgramResult> ServeAsync(string configuration, Action<PosternHome>? prepare = null)
    {
        using var home = new PosternHome(ProcessTests.Dll, $"server: {{ data: data }}\n{configuration}");
        prepare?.Invoke(home);
        var serve = await home.RunAsync("serve");
        Assert.Equal(WrongConfiguration, serve.ExitCode);
        return serve;
    }

    private static void WriteCertificate(PosternHome home, out string key)
    {
        key = Path.Combine(home.Root, "key.pem");
        var made = TestCertificate.Create("mail.example.org");
        using var secret = made.GetECDsaPrivateKey()!;
        File.WriteAllText(Path.Combine(home.Root, "cert.pem"), made.ExportCertificatePem());
        File.WriteAllText(key, secret.ExportPkcs8PrivateKeyPem());
    }
}
