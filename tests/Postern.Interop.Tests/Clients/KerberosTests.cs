using System.Net;
using System.Net.Security;
using Postern.Interop.Tests.Server;
using Postern.Sasl.Client;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Clients;

/// <summary>Tickets of a real KDC: from gsasl, from curl, and from this project's own client.</summary>
[Collection<KerberosServers>]
public sealed class KerberosTests(KerberosServer server) : IClassFixture<KerberosServer>
{
    [Fact]
    public async Task Gsasl_logs_in_with_a_ticket_and_the_log_names_the_account()
    {
        var taken = await GsaslAsync(server.Tickets);

        taken.AssertSucceeded();
        Assert.Contains("235 2.7.0", taken.Output, StringComparison.Ordinal);
        Assert.Contains($"\"user\":\"{KerberosServer.Account}\"", await server.LoginAsync("GSSAPI", "\"outcome\":\"ok\""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tickets_are_taken_where_the_systems_place_for_the_replay_cache_is_not_writable()
    {
        (await GsaslAsync(server.Tickets)).AssertSucceeded();
        Assert.True(File.Exists(server.ReplayCache));
    }

    [Fact]
    public async Task Gsasl_without_a_ticket_gets_nowhere()
    {
        var refused = await GsaslAsync(tickets: null);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.DoesNotContain("235 2.7.0", refused.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bart", "bart@KERBEROS.TEST: unknown user")]
    [InlineData("lisa/admin", "lisa/admin@KERBEROS.TEST: a principal with an instance is no account")]
    public async Task A_good_ticket_of_a_principal_that_is_no_account_is_535(string principal, string reason)
    {
        var refused = await GsaslAsync(await server.Realm.LogInAsync(principal, KerberosServer.Password));

        Assert.Contains("535 5.7.8", refused.Output + refused.Error, StringComparison.Ordinal);
        await server.LoginAsync("GSSAPI", "\"outcome\":\"failed\"", reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("lisa@kerberos.test")]
    [InlineData("lisa@KERBEROS.TEST")]
    public async Task Our_own_client_logs_in_as_itself(string actAs)
    {
        using var line = await SaslLine.ConnectAsync(server.Port("plain"));
        using var exchange = Client(actAs: actAs);

        Assert.StartsWith("235 2.7.0", await line.PlayAsync("GSSAPI", exchange), StringComparison.Ordinal);
        Assert.True(exchange.MayTrustSuccess);
    }

    [Fact]
    public async Task Our_own_client_asks_the_kdc_with_a_password()
    {
        using var line = await SaslLine.ConnectAsync(server.Port("plain"));
        using var exchange = Client(credential: new NetworkCredential("lisa", KerberosServer.Password, KerberosRealm.Name));

        Assert.StartsWith("235 2.7.0", await line.PlayAsync("GSSAPI", exchange), StringComparison.Ordinal);
    }

    /// <summary>The account <c>lisa</c> exists, and is another.</summary>
    [Theory]
    [InlineData("bart@kerberos.test")]
    [InlineData("lisa")]
    public async Task Nobody_acts_as_another(string actAs)
    {
        using var line = await SaslLine.ConnectAsync(server.Port("plain"));
        using var exchange = Client(actAs: actAs);

        Assert.StartsWith("535 5.7.8", await line.PlayAsync("GSSAPI", exchange), StringComparison.Ordinal);
    }

    /// <summary>Its key is in the keytab too.</summary>
    [Fact]
    public async Task A_ticket_for_another_service_is_535()
    {
        using var line = await SaslLine.ConnectAsync(server.Port("plain"));
        using var exchange = Client(service: "host");

        Assert.StartsWith("535 5.7.8", await line.PlayAsync("GSSAPI", exchange), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_counts_once()
    {
        using var exchange = Client();
        var token = Assert.IsType<SaslClientStep.Response>(exchange.Next(challenge: null)).Data!.Value;
        using var first = await SaslLine.ConnectAsync(server.Port("plain"));
        using var second = await SaslLine.ConnectAsync(server.Port("plain"));

        Assert.StartsWith("334 ", await first.SendAsync("AUTH GSSAPI"), StringComparison.Ordinal);
        Assert.StartsWith("334 ", await first.SendAsync(token), StringComparison.Ordinal);
        Assert.StartsWith("334 ", await second.SendAsync("AUTH GSSAPI"), StringComparison.Ordinal);
        Assert.StartsWith("535 5.7.8", await second.SendAsync(token), StringComparison.Ordinal);
        await server.LoginAsync("GSSAPI", "replay");
    }

    [Theory]
    [InlineData("")]
    [InlineData("AA==")]
    [InlineData("YIIBdAYJKoZIhvcSAQICAQBu")]
    [InlineData("YEgGBisGAQUFAqA+MDygDjAMBgorBgEEAYI3AgIKoioEKE5UTE1TU1AAAQAAABcCCOIAAAAAAAAAAAAAAAAAAAAABgGwHQAAAA8=")]
    public async Task What_is_no_ticket_is_535(string token)
    {
        using var line = await SaslLine.ConnectAsync(server.Port("plain"));

        Assert.Equal("334 ", await line.SendAsync("AUTH GSSAPI"));
        Assert.StartsWith("535 5.7.8", await line.SendAsync(token), StringComparison.Ordinal);
        Assert.StartsWith("250 ", await line.SendAsync("NOOP"), StringComparison.Ordinal);
    }

    /// <summary>RFC 4752 §3.2: what was not offered cannot be chosen.</summary>
    [Theory]
    [InlineData(new byte[] { 2, 0, 16, 0 })]
    [InlineData(new byte[] { 4, 0, 16, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0 })]
    [InlineData(new byte[] { 1, 0, 0 })]
    public async Task A_security_layer_is_refused(byte[] choice)
    {
        using var line = await SaslLine.ConnectAsync(server.Port("plain"));
        using var kerberos = new NegotiateAuthentication(new NegotiateAuthenticationClientOptions { Package = "Kerberos", Credential = CredentialCache.DefaultNetworkCredentials, TargetName = "smtp/localhost", RequireMutualAuthentication = true });
        await line.SendAsync("AUTH GSSAPI");
        var answer = await line.SendAsync(kerberos.GetOutgoingBlob([], out _));
        var offer = await line.SendAsync(kerberos.GetOutgoingBlob(SaslLine.Challenge(answer), out _) ?? []);
        var unwrapped = new System.Buffers.ArrayBufferWriter<byte>();
        Assert.Equal(NegotiateAuthenticationStatusCode.Completed, kerberos.Unwrap(SaslLine.Challenge(offer), unwrapped, out _));
        Assert.Equal([1, 0, 0, 0], unwrapped.WrittenSpan.ToArray());

        var wrapped = new System.Buffers.ArrayBufferWriter<byte>();
        kerberos.Wrap(choice, wrapped, requestEncryption: false, out _);

        Assert.StartsWith("5", await line.SendAsync(wrapped.WrittenMemory), StringComparison.Ordinal);
        Assert.StartsWith("250 ", await line.SendAsync("MAIL FROM:<sender@kerberos.test>"), StringComparison.Ordinal);
        Assert.StartsWith("530 5.7.0", await line.SendAsync("RCPT TO:<x@example.net>"), StringComparison.Ordinal);
    }

    /// <summary>Nothing that the client could do about it; it should not ask the user.</summary>
    [Fact]
    public async Task A_keytab_that_is_gone_is_454_and_counts_again_when_it_is_back()
    {
        var keytab = server.Realm.Keytab;
        using var line = await SaslLine.ConnectAsync(server.Port("plain"));
        using var early = Client();
        using var late = Client();

        File.Move(keytab, keytab + ".gone");
        var refused = await line.PlayAsync("GSSAPI", early);
        File.Move(keytab + ".gone", keytab);

        Assert.StartsWith("454 4.7.0", refused, StringComparison.Ordinal);
        Assert.StartsWith("235 2.7.0", await line.PlayAsync("GSSAPI", late), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Curl_submits_a_message_with_a_ticket()
    {
        var message = Path.Combine(Path.GetDirectoryName(server.Tickets)!, "message");
        await File.WriteAllTextAsync(message, "Subject: ticket\r\n\r\nhello\r\n", TestContext.Current.CancellationToken);

        var run = await RunningProgram.RunAsync(
            [
                Peer.Require("curl"), "--disable", "--silent", "--show-error", "--ssl-reqd", "--insecure",
                "--url", $"smtp://localhost:{server.Port("submission")}/client.test", "--user", ":", "--login-options", "AUTH=GSSAPI",
                "--mail-from", "sender@kerberos.test", "--mail-rcpt", "bart@example.net", "--upload-file", message,
            ],
            environment: server.Realm.Environment(server.Tickets));

        run.AssertSucceeded();
    }

    private static ISaslClientExchange Client(string actAs = "", string service = "smtp", NetworkCredential? credential = null) => GssapiClient.Instance.TryStart(
        new SaslClientCredentials { Kerberos = credential ?? CredentialCache.DefaultNetworkCredentials, Host = "localhost", Service = service, AuthorizationId = actAs })!;

    private Task<ProgramResult> GsaslAsync(string? tickets) => RunningProgram.RunAsync(
        [
            Peer.Require("gsasl"), "--smtp", $"--connect=localhost:{server.Port("plain")}", "--no-starttls", "--no-cb", "--mechanism", "GSSAPI",
            "--service", "smtp", "--hostname", "localhost", "--authentication-id", KerberosServer.Account, "--authorization-id", string.Empty,
        ],
        environment: server.Realm.Environment(tickets));
}
