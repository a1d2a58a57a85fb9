using Postern.Interop.Tests.Matrix.Clients;
using Postern.Interop.Tests.Server;

namespace Postern.Interop.Tests.Matrix;

/// <summary>Why the -PLUS forms wait to be named: gsasl takes them where they are offered, and binds to what no .NET program can compute.</summary>
public sealed class ChannelBindingTests(MatrixServer server) : IClassFixture<MatrixServer>
{
    [Theory]
    [InlineData("SCRAM-SHA-256-PLUS", "NORMAL", "tls-exporter")]
    [InlineData("SCRAM-SHA-256-PLUS", "NORMAL:-VERS-TLS1.3", "tls-unique")]
    public async Task Gsasl_binds_to_what_cannot_be_computed_here_and_is_refused(string mechanism, string priority, string binding)
    {
        var login = server.Right(MatrixTable.Of(mechanism).First());
        var before = server.CountLogins(mechanism);

        var run = await GsaslClient.RunAsync(server, server.Port("bound"), login, "--priority", priority);

        Assert.Contains(Login.Refused, run.Text, StringComparison.Ordinal);
        var audited = await server.LoginsAsync(mechanism, before, 1);
        Assert.Equal(new AuditedLogin(User: null, "failed", $"the channel binding '{binding}' cannot be computed here"), Assert.Single(audited));
    }

    /// <summary>It can bind, sees no -PLUS form, and ends the exchange itself: <c>--no-cb</c> is for that.</summary>
    [Fact]
    public async Task Gsasl_gives_up_by_itself_where_no_binding_is_offered()
    {
        var run = await GsaslClient.RunAsync(server, server.Port("every"), server.Right(MatrixTable.Of("SCRAM-SHA-256").First()));

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("mechanism error", run.Text, StringComparison.Ordinal);
    }
}
