using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Net.Sockets;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Smtp.Tests.Transport;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Session;

/// <summary>EXTERNAL (RFC 4422 appendix A): offered where the session has shown a certificate, and nowhere else.</summary>
public sealed class ExternalTests : IDisposable
{
    private static readonly X509Certificate2 Server = TestCertificate.Create("mail.example.org");

    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));

    private CancellationToken Ct => patience.Token;

    [Theory]
    [InlineData(true, true, true, true)]
    [InlineData(false, true, true, false)]
    [InlineData(true, false, true, false)]
    [InlineData(true, true, false, false)]
    public async Task It_is_offered_only_to_a_client_that_has_shown_a_certificate_where_somebody_knows_it(bool shows, bool asks, bool knows, bool isOffered)
    {
        await using var rig = Rig(asks, knows);
        await using var session = await ConnectAsync(rig, shows);

        var offer = await session.SendAsync("EHLO client.test", Ct);
        var answer = await session.SendAsync("AUTH EXTERNAL =", Ct);

        Assert.Equal(isOffered, offer.Contains("EXTERNAL", StringComparison.Ordinal));
        Assert.Contains(" PLAIN", offer, StringComparison.Ordinal);
        Assert.StartsWith(isOffered ? "235 2.7.0" : "504 5.5.4", answer, StringComparison.Ordinal);
    }

    /// <summary>No initial response is not an empty one.</summary>
    [Fact]
    public async Task Without_an_initial_response_the_client_is_asked_for_one()
    {
        await using var rig = Rig();
        await using var session = await ConnectAsync(rig);
        await session.SendAsync("EHLO client.test", Ct);

        Assert.Equal("334 ", await session.SendAsync("AUTH EXTERNAL", Ct));
        Assert.StartsWith("235 2.7.0", await session.SendAsync(string.Empty, Ct), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alice", "235 2.7.0 ")]
    [InlineData("bob", "535 5.7.8 ")]
    public async Task The_client_acts_as_itself_and_as_nobody_else(string actAs, string reply)
    {
        await using var rig = Rig();
        await using var session = await ConnectAsync(rig);
        await session.SendAsync("EHLO client.test", Ct);

        var answer = await session.SendAsync($"AUTH EXTERNAL {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(actAs))}", Ct);

        Assert.StartsWith(reply, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_nobody_knows_and_a_wrong_authorization_get_the_same_reply()
    {
        await using var rig = Rig(user: null);
        await using var other = Rig();
        await using var unknown = await ConnectAsync(rig);
        await using var known = await ConnectAsync(other);
        await unknown.SendAsync("EHLO client.test", Ct);
        await known.SendAsync("EHLO client.test", Ct);

        Assert.Equal(await unknown.SendAsync("AUTH EXTERNAL =", Ct), await known.SendAsync("AUTH EXTERNAL Ym9i", Ct));
    }

    /// <summary>The certificate is that of the peer, not of the client that it speaks for.</summary>
    [Fact]
    public async Task After_xclient_the_certificate_of_the_peer_is_nobodys()
    {
        await using var rig = Rig(listener: static l => l with { XClientFrom = [System.Net.IPNetwork.Parse("127.0.0.0/8")] });
        await using var session = await ConnectAsync(rig);
        Assert.Contains("EXTERNAL", await session.SendAsync("EHLO filter.test", Ct), StringComparison.Ordinal);
        await session.SendAsync("XCLIENT ADDR=192.0.2.7", Ct);

        Assert.DoesNotContain("EXTERNAL", await session.SendAsync("EHLO client.test", Ct), StringComparison.Ordinal);
        Assert.StartsWith("504 5.5.4", await session.SendAsync("AUTH EXTERNAL =", Ct), StringComparison.Ordinal);
    }

    public void Dispose() => patience.Dispose();

    /// <summary>Counted, not timed: what is not kept is neither copied nor built into a chain again at AUTH.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(ClientCertificate.MaxIntermediates, ClientCertificate.MaxIntermediates)]
    [InlineData(ClientCertificate.MaxIntermediates + 1, 0)]
    [InlineData(30, 0)]
    public async Task Row_223_certificates_beyond_the_tenth_that_a_client_sends_are_not_looked_at(int sent, int kept)
    {
        await using var rig = Rig();
        await using var session = await ConnectAsync(rig, Chain(sent));

        var facts = rig.NextFacts(Ct).ClientCertificate!;

        Assert.Equal(kept, facts.Intermediates.Length);
        Assert.False(facts.IsTrusted);
        Assert.Equal(kept == 0, facts.Distrust == $"{sent} certificates were sent with it, and more than 10 are not looked at");
    }

    /// <summary>One certificate of 40,000 octets, which the runtime would take.</summary>
    [Fact]
    public async Task Row_223_a_handshake_in_which_the_client_says_more_than_it_needs_to_is_given_up()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=client", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension("1.2.3.4", new byte[40_000], critical: false));
        using var large = TestCertificate.Create(request);
        await using var rig = Rig();

        var refused = await Record.ExceptionAsync(async () =>
        {
            await using var session = await ConnectAsync(rig, SslStreamCertificateContext.Create(large, additionalCertificates: null, offline: true));
        });

        Assert.NotNull(refused);
        Assert.Contains("more than 32768 octets", rig.NextFailure(Ct), StringComparison.Ordinal);
    }

    /// <summary>A certificate that is issued by the last of so many authorities.</summary>
    private static SslStreamCertificateContext Chain(int length)
    {
        var authority = TestAuthority.Create("root");
        var between = new X509Certificate2Collection();
        for (var i = 0; i < length; i++)
        {
            authority = authority.CreateIntermediate($"below {i}");
            between.Add(authority.Certificate);
        }

        return SslStreamCertificateContext.Create(authority.IssueClient("CN=client"), between, offline: true);
    }

    private static TlsRig Rig(bool asks = true, bool knows = true, string? user = "alice", Func<SmtpListenerOptions, SmtpListenerOptions>? listener = null) => new(
        new TlsOptions(Server),
        l => (listener?.Invoke(l) ?? l) with { AsksForClientCertificate = asks },
        o => o with { ClientCertificateUsers = knows ? new OneUser(user) : null });

    private async Task<Typed> ConnectAsync(TlsRig rig, bool shows = true)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return await ConnectAsync(rig, shows ? SslStreamCertificateContext.Create(TestCertificate.Create(new CertificateRequest("CN=client", key, HashAlgorithmName.SHA256)), additionalCertificates: null, offline: true) : null);
    }

    private async Task<Typed> ConnectAsync(TlsRig rig, SslStreamCertificateContext? certificate)
    {
        var tls = new SslStream(new NetworkStream(await rig.ConnectAsync(Ct), ownsSocket: true));
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "mail.example.org", ClientCertificateContext = certificate, RemoteCertificateValidationCallback = static (_, _, _, _) => true },
            Ct);
        var typed = new Typed(tls);
        await typed.ReplyAsync(Ct);
        return typed;
    }

    private sealed class OneUser(string? user) : IClientCertificateUsers
    {
        public ValueTask<LoginAnswer> FindAsync(ClientCertificate certificate, CancellationToken ct) =>
            new(user is null || certificate.Octets.IsEmpty ? new LoginAnswer.NoMatch("unknown", UserExists: false) : new LoginAnswer.Match(user));
    }

    private sealed class Typed(SslStream tls) : IAsyncDisposable
    {
        private readonly StreamReader reader = new(tls);

        public async Task<string> SendAsync(string line, CancellationToken ct)
        {
            await tls.WriteAsync(System.Text.Encoding.ASCII.GetBytes(line + "\r\n"), ct);
            return await ReplyAsync(ct);
        }

        public async Task<string> ReplyAsync(CancellationToken ct)
        {
            var reply = new List<string>();
            do
                reply.Add(await reader.ReadLineAsync(ct) ?? throw new InvalidOperationException("the server closed the connection"));
            while (reply[^1] is [_, _, _, '-', ..]);
            return string.Join('\n', reply);
        }

        public ValueTask DisposeAsync()
        {
            reader.Dispose();
            return tls.DisposeAsync();
        }
    }
}
