using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Clients;

/// <summary>Devices that speak nothing newer than TLS 1.1, and clients with one old cipher, on listeners that take them by name.</summary>
public sealed class OldTlsTests : IDisposable
{
    private const string Configuration = """
        server: { hostname: localhost, data: data }
        listeners:
          - { name: old, listen: ["127.0.0.1:0"], tls: implicit, tls_minimum: "1.1" }
          - { name: compatible, listen: ["127.0.0.1:0"], tls: implicit, ciphers: compatible }
          - { name: new, listen: ["127.0.0.1:0"], tls: implicit }
        devices:
          - { name: scanners, listen: "127.0.0.1:0", clients: [127.0.0.0/8], tls: implicit, tls_minimum: "1.0", from: scanner@example.org, to: "@example.org" }
        """;

    private readonly PosternHome home = new(Path.Combine(AppContext.BaseDirectory, "postern.dll"), Configuration);

    [Fact]
    public async Task It_is_served_on_its_listener_and_nowhere_else_without_a_word_to_openssl()
    {
        await using var server = await home.ServeAsync();
        var check = await home.RunAsync("check");

        Assert.DoesNotContain("OpenSSL", server.Error.Text + check.Error, StringComparison.Ordinal);
        Assert.True(await IsGreetedAsync(server, "old", "-tls1_1"));
        Assert.False(await IsGreetedAsync(server, "new", "-tls1_1"));
        Assert.True(await IsGreetedAsync(server, "new", "-tls1_2"));
    }

    /// <summary>A scanner of 2009.</summary>
    [Fact]
    public async Task A_device_that_knows_nothing_newer_than_TLS_1_0_sends_by_its_port_and_check_says_that_it_may()
    {
        await using var server = await home.ServeAsync();
        Assert.Contains("devices 'scanners' on 127.0.0.1:0 takes TLS 1.0 and mail without a login from 127.0.0.0/8", (await home.RunAsync("check", "--json")).Output, StringComparison.Ordinal);
        Assert.False(await IsGreetedAsync(server, "new", "-tls1"));

        await using var device = new TypedDialogue(
            Peer.Require("openssl"), "s_client", "-connect", server["scanners"].ToString(), "-tls1", "-cipher", "ALL:@SECLEVEL=0", "-quiet", "-crlf");
        Assert.StartsWith("220 ", await device.ReplyAsync(), StringComparison.Ordinal);
        foreach (var (line, reply) in new[] { ("EHLO copier", "250"), ("MAIL FROM:<x@device.local>", "250"), ("RCPT TO:<lisa@example.org>", "250"), ("DATA", "354") })
            Assert.StartsWith(reply, await device.TypeAsync(line), StringComparison.Ordinal);
        Assert.StartsWith("250 2.0.0 Queued as ", await device.TypeAsync("Subject: Scan\n\nx\n."), StringComparison.Ordinal);
        Assert.Contains("\"scanners\"", (await home.RunAsync("log", "policy", "--json")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_openssl_that_was_told_to_take_everything_weakens_no_listener_and_check_says_what_it_does()
    {
        var openssl = Path.Combine(home.Root, "openssl.cnf");
        await File.WriteAllTextAsync(openssl, "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n", TestContext.Current.CancellationToken);
        await using var server = await home.ServeAsync(environment: new Dictionary<string, string>(StringComparer.Ordinal) { ["OPENSSL_CONF"] = openssl });

        Assert.Contains("this machine's OpenSSL configuration (OPENSSL_CONF, or openssl.cnf) takes old ciphers in every program", server.Error.Text, StringComparison.Ordinal);
        Assert.True(await IsGreetedAsync(server, "old", "-tls1_1"));
        Assert.False(await IsGreetedAsync(server, "new", "-tls1_1"));
        Assert.False(await IsGreetedAsync(server, "new", "-tls1_2", "AES128-SHA:@SECLEVEL=0"));
        Assert.True(await IsGreetedAsync(server, "new", "-tls1_2"));
    }

    [Theory]
    [InlineData("ECDHE-RSA-AES256-GCM-SHA384")]
    [InlineData("ECDHE-RSA-CHACHA20-POLY1305")]
    [InlineData("ECDHE-RSA-AES256-SHA")]
    [InlineData("DHE-RSA-AES256-GCM-SHA384")]
    [InlineData("AES128-GCM-SHA256")]
    [InlineData("AES256-SHA")]
    public async Task A_tls_1_2_client_that_knows_one_old_cipher_is_served_by_a_compatible_listener_with_the_certificates_that_were_made(string cipher)
    {
        await using var server = await home.ServeAsync();
        Assert.True(await IsGreetedAsync(server, "compatible", "-tls1_2", cipher));
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task A_client_of_openssl_that_does_not_know_the_issuer_is_told_of_as_that(string version)
    {
        await using var server = await home.ServeAsync();
        await RunningProgram.RunAsync([Peer.Require("openssl"), "s_client", "-connect", server["new"].ToString(), version, "-verify_return_error"]);
        await server.Output.FindAsync(static line => line.Contains("unknown CA: the client does not know who issued the certificate (alert unknown_ca)", StringComparison.Ordinal)).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    public void Dispose() => home.Dispose();

    private static async Task<bool> IsGreetedAsync(PosternProcess server, string listener, string version, string cipher = "ALL:@SECLEVEL=0")
    {
        await using var typed = new TypedDialogue(Peer.Require("openssl"), "s_client", "-connect", server[listener].ToString(), version, "-cipher", cipher, "-quiet", "-crlf");
        try
        {
            return (await typed.ReplyAsync()).StartsWith("220 ", StringComparison.Ordinal);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
