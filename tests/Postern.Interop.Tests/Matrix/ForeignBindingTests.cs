using System.Security.Authentication;
using System.Text;
using MailKit.Net.Smtp;
using MailKit.Security;
using Postern.Interop.Tests.Matrix.Clients;
using Postern.Interop.Tests.Server;
using Postern.Testing;

namespace Postern.Interop.Tests.Matrix;

/// <summary>Clients of other people that bind their logins to the TLS connection.</summary>
public sealed class ForeignBindingTests(MatrixServer server) : IClassFixture<MatrixServer>
{
    [Theory]
    [InlineData("SCRAM-SHA-256-PLUS", "NORMAL", "tls-exporter")]
    [InlineData("SCRAM-SHA-256-PLUS", "NORMAL:-VERS-TLS1.3", "tls-unique")]
    [InlineData("SCRAM-SHA-1-PLUS", "NORMAL", "tls-exporter")]
    [InlineData("SCRAM-SHA-1-PLUS", "NORMAL:-VERS-TLS1.3", "tls-unique")]
    public async Task Gsasl_binds_its_login_to_the_connection_over_each_version_of_tls(string mechanism, string priority, string binding)
    {
        var row = MatrixTable.Of(mechanism).First();
        var before = server.CountLogins(mechanism);

        var taken = await GsaslClient.RunAsync(server, server.Port("bound"), server.Right(row), "--priority", priority);
        var refused = await GsaslClient.RunAsync(server, server.Port("bound"), server.Wrong(row), "--priority", priority);

        Assert.Contains(Login.Taken, taken.Text, StringComparison.Ordinal);
        Assert.Contains(Login.Refused, refused.Text, StringComparison.Ordinal);
        Assert.Contains(Convert.ToBase64String(Encoding.ASCII.GetBytes($"p={binding},,n=lis"))[..^4], taken.Text, StringComparison.Ordinal);
        Assert.Equal([(row.Kept.User, "ok"), (row.Kept.User, "failed")], (await server.LoginsAsync(mechanism, before, 2)).Select(static login => (login.User!, login.Outcome)));
    }

    /// <summary>Also where he has the server's own key, so that the client verifies his certificate.</summary>
    [Theory]
    [InlineData("NORMAL")]
    [InlineData("NORMAL:-VERS-TLS1.3")]
    public async Task Gsasl_does_not_log_in_through_one_who_ends_tls_in_between(string priority)
    {
        var row = MatrixTable.Of("SCRAM-SHA-256-PLUS").First();
        var before = server.CountLogins(row.Mechanism);
        await using var middle = new TlsInTheMiddle(server.Port("bound"), TestCertificate.Instance);

        var run = await GsaslClient.RunAsync(server, middle.Port, server.Right(row), "--priority", priority);

        Assert.Contains(Login.Refused, run.Text, StringComparison.Ordinal);
        Assert.Equal("the channel binding does not match: another party may stand between", Assert.Single(await server.LoginsAsync(row.Mechanism, before, 1)).Reason);
    }

    /// <summary>It can bind, sees no -PLUS form, and ends the exchange itself: <c>--no-cb</c> is for that.</summary>
    [Fact]
    public async Task Gsasl_gives_up_by_itself_where_no_binding_is_offered()
    {
        var run = await GsaslClient.RunAsync(server, server.Port("every"), server.Right(MatrixTable.Of("SCRAM-SHA-256").First()));

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("mechanism error", run.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SCRAM-SHA-1-PLUS", SslProtocols.Tls12)]
    [InlineData("SCRAM-SHA-1-PLUS", SslProtocols.Tls13)]
    [InlineData("SCRAM-SHA-256-PLUS", SslProtocols.Tls12)]
    [InlineData("SCRAM-SHA-256-PLUS", SslProtocols.Tls13)]
    [InlineData("SCRAM-SHA-512-PLUS", SslProtocols.Tls12)]
    [InlineData("SCRAM-SHA-512-PLUS", SslProtocols.Tls13)]
    public async Task MailKit_binds_its_login_to_the_connection_over_each_version_of_tls(string mechanism, SslProtocols version)
    {
        var row = MatrixTable.Of(mechanism).First();
        var before = server.CountLogins(mechanism);
        using var said = new MemoryStream();
        using (var client = await ConnectAsync("bound", version, said))
        {
            var wrong = server.Wrong(row);
            await Assert.ThrowsAsync<MailKit.Security.AuthenticationException>(() => client.AuthenticateAsync(Mechanism(mechanism, wrong), TestContext.Current.CancellationToken));
            var right = server.Right(row);
            await client.AuthenticateAsync(Mechanism(mechanism, right), TestContext.Current.CancellationToken);
            Assert.True(client.IsAuthenticated);
            await client.DisconnectAsync(quit: true, TestContext.Current.CancellationToken);
        }

        // Also so that the next test does not count these as its own.
        Assert.Equal(["failed", "ok"], (await server.LoginsAsync(mechanism, before, 2)).Select(static login => login.Outcome).Order(StringComparer.Ordinal));
        Assert.Contains($"AUTH {mechanism} {Convert.ToBase64String("p=tls-server-end-point,,n=lis"u8)[..^4]}", Encoding.UTF8.GetString(said.ToArray()), StringComparison.Ordinal);
    }

    private static SaslMechanism Mechanism(string name, Login login) => name switch
    {
        "SCRAM-SHA-512-PLUS" => new SaslMechanismScramSha512Plus(login.User, login.Secret),
        "SCRAM-SHA-256-PLUS" => new SaslMechanismScramSha256Plus(login.User, login.Secret),
        _ => new SaslMechanismScramSha1Plus(login.User, login.Secret),
    };

    private async Task<SmtpClient> ConnectAsync(string listener, SslProtocols version, Stream said)
    {
        var client = new SmtpClient(new MailKit.ProtocolLogger(said, leaveOpen: true) { RedactSecrets = false })
        {
            SslProtocols = version,
            ServerCertificateValidationCallback = static (_, _, _, _) => true,
            CheckCertificateRevocation = false,
        };
        await client.ConnectAsync("localhost", server.Port(listener), SecureSocketOptions.StartTls, TestContext.Current.CancellationToken);
        return client;
    }
}
