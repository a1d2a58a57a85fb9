using Postern.Interop.Tests.Server;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Clients;

/// <summary>A device that speaks nothing newer than TLS 1.1, on a listener that allows it by name.</summary>
public sealed class OldTlsTests : IDisposable
{
    private const string Configuration = """
        server: { hostname: localhost, data: data }
        listeners:
          - { name: old, listen: ["127.0.0.1:0"], tls: implicit, tls_minimum: "1.1" }
          - { name: new, listen: ["127.0.0.1:0"], tls: implicit }
        """;

    private readonly PosternHome home = new(Path.Combine(AppContext.BaseDirectory, "postern.dll"), Configuration);

    /// <summary>OpenSSL's own word decides: the test holds on machines of either kind.</summary>
    [Fact]
    public async Task It_is_served_or_the_operator_is_told_that_openssl_refuses_it()
    {
        await using var server = await home.ServeAsync();
        var isWarned = server.Error.Lines.Any(static l => l.Contains("this machine's OpenSSL refuses TLS 1.1", StringComparison.Ordinal));
        var check = await home.RunAsync("check");

        Assert.Equal(!isWarned, await IsGreetedAsync(server, "old"));
        Assert.Equal(isWarned, check.Error.Contains("listeners[0].tls_minimum: this machine's OpenSSL refuses TLS 1.1", StringComparison.Ordinal));
        Assert.Equal(0, check.ExitCode);
    }

    [Fact]
    public async Task With_openssl_at_level_0_it_is_served_there_and_nowhere_else()
    {
        var openssl = Path.Combine(home.Root, "openssl.cnf");
        await File.WriteAllTextAsync(openssl, "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0\n", TestContext.Current.CancellationToken);
        await using var server = await home.ServeAsync(environment: new Dictionary<string, string>(StringComparer.Ordinal) { ["OPENSSL_CONF"] = openssl });

        Assert.DoesNotContain("OpenSSL refuses", server.Error.Text, StringComparison.Ordinal);
        Assert.True(await IsGreetedAsync(server, "old"));
        Assert.False(await IsGreetedAsync(server, "new"));
    }

    public void Dispose() => home.Dispose();

    private static async Task<bool> IsGreetedAsync(PosternProcess server, string listener)
    {
        await using var typed = new TypedDialogue(Peer.Require("openssl"), "s_client", "-connect", server[listener].ToString(), "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-quiet", "-crlf");
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
