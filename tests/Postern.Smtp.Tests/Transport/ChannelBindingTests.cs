using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Smtp.Transport.Tls;
using Postern.Testing;

namespace Postern.Smtp.Tests.Transport;

/// <summary>Logins that hold for one TLS connection: with every binding over each version, and with somebody in between.</summary>
public sealed class ChannelBindingTests : IDisposable
{
    private static readonly TlsOptions Tls = new(TestCertificate.Instance);
    private static readonly SaslClientCredentials Alice = new() { User = "alice", Password = new Secret("secret") };

    private readonly CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));

    private CancellationToken Ct => patience.Token;

    public void Dispose() => patience.Dispose();

    [Fact]
    public async Task What_this_machine_can_compute_is_proven_by_a_handshake_with_itself()
    {
        var proven = await TlsBindings.OfThisMachineAsync();
        Assert.Equal([ChannelBindingType.TlsUnique, ChannelBindingType.TlsExporter], proven.Tls12);
        Assert.Equal([ChannelBindingType.TlsExporter], proven.Tls13);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, "tls-unique")]
    [InlineData(SslProtocols.Tls12, "tls-exporter")]
    [InlineData(SslProtocols.Tls12, "tls-server-end-point")]
    [InlineData(SslProtocols.Tls13, "tls-exporter")]
    [InlineData(SslProtocols.Tls13, "tls-server-end-point")]
    public async Task A_login_is_bound_by_each_binding_that_the_version_of_tls_has_connection_after_connection(SslProtocols version, string binding)
    {
        await using var rig = Rig(version);
        var client = new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = static (_, _, _, _) => true };
        var seen = new HashSet<string>();
        for (var visit = 0; visit < 3; visit++)
        {
            await using var tls = new SslStream(new NetworkStream(await rig.ConnectAsync(Ct), ownsSocket: true));
            await tls.AuthenticateAsClientAsync(client, Ct);
            using var shown = new X509Certificate2(tls.RemoteCertificate!);
            var all = (await TlsBindings.OfThisMachineAsync()).Of(tls, EndPointHash.Of(shown))!;
            Assert.True(all.TryGet(ChannelBindingType.Find(binding)!, out var data));
            seen.Add(Convert.ToHexString(data.Span));
            Assert.StartsWith("235 ", await LogInAsync(tls, new ChannelBindings((ChannelBindingType.Find(binding)!, data.ToArray()))), StringComparison.Ordinal);
        }

        Assert.Equal(binding == "tls-server-end-point" ? 1 : 3, seen.Count);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, "tls-unique")]
    [InlineData(SslProtocols.Tls13, "tls-exporter")]
    public async Task Our_own_client_binds_to_what_its_version_of_tls_has_first_and_is_offered_it_without_a_word_in_the_configuration(SslProtocols version, string binding)
    {
        await using var rig = Rig(version);
        Assert.Equal("SCRAM-SHA-256-PLUS", Assert.IsType<ClientLoginAnswer.Accepted>(await DialAsync(rig.Endpoint)).Mechanism);
        var proven = await TlsBindings.OfThisMachineAsync();
        Assert.Equal(binding, (version == SslProtocols.Tls12 ? proven.Tls12 : proven.Tls13)[0].Name);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls13, false)]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls13, true)]
    public async Task Who_ends_tls_in_between_is_found_out_even_with_the_servers_own_key(SslProtocols version, bool hasKey)
    {
        await using var rig = Rig(version);
        using var other = TestCertificate.Create("localhost");
        var middle = RelayAsync(rig.Endpoint, hasKey ? TestCertificate.Instance : other, out var endpoint);

        var refused = Assert.IsType<ClientLoginAnswer.Refused>(await DialAsync(endpoint));
        Assert.Equal(("SCRAM-SHA-256-PLUS", 535), (refused.Mechanism, refused.Reply.Code));
        await middle;
    }

    [Fact]
    public async Task A_client_that_could_bind_and_was_shown_no_plus_form_is_refused()
    {
        await using var rig = Rig(SslProtocols.Tls13);
        await using var tls = new SslStream(new NetworkStream(await rig.ConnectAsync(Ct), ownsSocket: true), leaveInnerStreamOpen: false, static (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("localhost");
        Assert.StartsWith("535 ", await LogInAsync(tls, channel: null, ["AUTH SCRAM-SHA-256 " + Convert.ToBase64String("y,,n=alice,r=abc"u8)]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_binding_that_cannot_be_had_any_more_is_none_and_never_another()
    {
        await using var rig = Rig(SslProtocols.Tls13);
        var tls = new SslStream(new NetworkStream(await rig.ConnectAsync(Ct), ownsSocket: true), leaveInnerStreamOpen: false, static (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("localhost");
        var bindings = (await TlsBindings.OfThisMachineAsync()).Of(tls, [1, 2, 3])!;
        await tls.DisposeAsync();

        Assert.False(bindings.TryGet(ChannelBindingType.TlsExporter, out var data));
        Assert.True(data.IsEmpty);
        Assert.False(bindings.TryGet(ChannelBindingType.TlsUnique, out _));
        Assert.True(bindings.TryGet(ChannelBindingType.TlsServerEndPoint, out _));
    }

    [Fact]
    public async Task Where_nothing_ties_the_connection_the_plus_forms_wait_to_be_named()
    {
        await using var rig = Rig(SslProtocols.Tls12 | SslProtocols.Tls13);
        var offered = rig.Server.Options.Listeners[0];
        Assert.DoesNotContain(NamesFor(offered, ties: false), static name => name.EndsWith("-PLUS", StringComparison.Ordinal));
        Assert.Contains("SCRAM-SHA-256-PLUS", NamesFor(offered, ties: true));
        Assert.Contains("SCRAM-SHA-256-PLUS", NamesFor(offered with { Mechanisms = ["SCRAM-SHA-256-PLUS"] }, ties: false));
        Assert.Equal(["PLAIN"], NamesFor(offered with { Mechanisms = ["SCRAM-SHA-256-PLUS", "PLAIN"], WithholdsUnboundPlus = true }, ties: false));
        Assert.Equal(["SCRAM-SHA-256-PLUS", "PLAIN"], NamesFor(offered with { Mechanisms = ["SCRAM-SHA-256-PLUS", "PLAIN"], WithholdsUnboundPlus = true }, ties: true));

        IEnumerable<string> NamesFor(SmtpListenerOptions listener, bool ties) =>
            Capabilities.Derive(rig.Server.Options, listener, isTls: true, isLoggedIn: false, PeerTrust.None, ties: ties).Mechanisms.Select(static m => m.Name);
    }

    private static TlsRig Rig(SslProtocols version) =>
        new(Tls, l => l with { TlsProtocols = version }, static o => o with { Sasl = new SaslContext { Passwords = new TestPasswords("alice:secret"), ScramSecrets = new TestSecrets() } });

    private async Task<ClientLoginAnswer> DialAsync(IPEndPoint endpoint)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(endpoint, Ct);
        await using var dialogue = new SmtpClientDialogue(
            new NetworkStream(socket, ownsSocket: true),
            new SmtpClientOptions { Hostname = Domain.Parse("client.test"), ServerName = "localhost", Tls = ClientTls.Implicit, VerifyCertificate = static (_, _, _, _) => true });
        Assert.IsType<ClientAnswer.Accepted>(await dialogue.OpenAsync(Ct));
        return await dialogue.LogInAsync(new ClientLogin(Alice), Ct);
    }

    /// <summary>The greeting, EHLO, and a login; the last reply.</summary>
    private async Task<string> LogInAsync(SslStream tls, ChannelBindings? channel, string[]? lines = null)
    {
        using var reader = new StreamReader(tls, leaveOpen: true);
        Assert.StartsWith("220 ", await reader.ReadLineAsync(Ct), StringComparison.Ordinal);
        var reply = await AskAsync("EHLO client.test");
        Assert.StartsWith("250 ", reply, StringComparison.Ordinal);
        if (lines is not null)
            return await AskAsync(lines[0]);
        using var exchange = ScramClient.Sha256Plus.TryStart(Alice with { Channel = channel })!;
        var initial = ((SaslClientStep.Response)exchange.Next(challenge: null)).Data!.Value;
        reply = await AskAsync($"AUTH SCRAM-SHA-256-PLUS {Convert.ToBase64String(initial.Span)}");
        while (reply.StartsWith("334 ", StringComparison.Ordinal))
            reply = await AskAsync(StrictBase64.TryDecode(System.Text.Encoding.ASCII.GetBytes(reply[4..]), out var challenge) && exchange.Next(challenge) is SaslClientStep.Response { Data: { } data } ? Convert.ToBase64String(data.Span) : "*");
        return reply;

        async Task<string> AskAsync(string line)
        {
            await tls.WriteAsync(System.Text.Encoding.ASCII.GetBytes(line + "\r\n"), Ct);
            string? answer;
            do
                answer = await reader.ReadLineAsync(Ct);
            while (answer is { Length: > 3 } && answer[3] == '-');
            return answer ?? string.Empty;
        }
    }

    /// <summary>Ends the client's TLS, begins its own with the server, and passes everything on.</summary>
    private Task RelayAsync(IPEndPoint server, X509Certificate2 certificate, out IPEndPoint endpoint)
    {
        var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();
        endpoint = (IPEndPoint)listener.LocalEndpoint;
        return Task.Run(
            async () =>
            {
                using var accepted = await listener.AcceptTcpClientAsync(Ct);
                listener.Stop();
                using var onward = new TcpClient();
                await onward.ConnectAsync(server, Ct);
                await using var near = new SslStream(accepted.GetStream());
                await using var far = new SslStream(onward.GetStream(), leaveInnerStreamOpen: false, static (_, _, _, _) => true);
                await Task.WhenAll(near.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, Ct), far.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, Ct));
                await Task.WhenAny(PassAsync(near, far), PassAsync(far, near));
            },
            Ct);

        async Task PassAsync(SslStream from, SslStream to)
        {
            try
            {
                await from.CopyToAsync(to, Ct);
            }
            catch (IOException)
            {
                // One side has left.
            }
        }
    }
}
