using System.Net;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Message;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Embedding;

public sealed class OptionsTests
{
    private static readonly IMessageStore Store = new MemoryStore();

    [Fact]
    public void Every_mistake_is_listed_at_once()
    {
        var options = new SmtpServerOptions { Hostname = "no domain", MaxConnections = 0, Limits = new SessionLimits { Recipients = -1 } };
        options.Listen(0);
        options.Listen(new IPEndPoint(IPAddress.Loopback, 465), TlsMode.None);
        var text = Assert.Throws<ArgumentException>(() => new SmtpServer(options)).Message;
        Assert.Contains("- Hostname 'no domain' is neither a domain", text);
        Assert.Contains("- Store is not set", text);
        Assert.Contains("- MaxConnections is 0", text);
        Assert.Contains("- Limits.Recipients is -1", text);
        Assert.Contains("- listener 'smtp' uses TLS, and no certificate is given", text);
        Assert.Contains("- nobody can send on listener 'submissions'", text);
    }

    [Fact]
    public void A_policy_that_asks_for_a_login_needs_something_that_checks_it()
    {
        var options = new SmtpServerOptions { Store = Store, Tls = new TlsOptions(TestCertificate.Instance) };
        options.Listen(0);
        Assert.Contains("nothing checks passwords", Assert.Throws<ArgumentException>(() => new SmtpServer(options)).Message);
    }

    [Fact]
    public void Null_is_a_mistake_with_a_name()
    {
        var options = new SmtpServerOptions { Store = null!, Policy = null!, Listeners = null!, Limits = null! };
        var text = Assert.Throws<ArgumentException>(() => new SmtpServer(options)).Message;
        Assert.All(["Store", "Policy", "Listeners", "Limits"], name => Assert.Contains($"- {name} is null", text));
    }

    [Fact]
    public void Two_listeners_cannot_share_an_endpoint()
    {
        var options = new SmtpServerOptions { Store = Store, Policy = new TestPolicy() };
        options.Listen(2587, TlsMode.None);
        options.Listen(2587, TlsMode.None);
        Assert.Contains("- listener 'smtp' and listener 'smtp-2' cannot both listen on 127.0.0.1:2587", Assert.Throws<ArgumentException>(() => new SmtpServer(options)).Message);
    }

    [Fact]
    public void A_wait_without_end_is_no_limit()
    {
        var options = new SmtpServerOptions { Store = Store, Limits = new SessionLimits { Idle = TimeSpan.MaxValue } };
        Assert.Contains("- Limits.Idle is longer than 30 days", Assert.Throws<ArgumentException>(() => new SmtpServer(options)).Message);
    }

    [Fact]
    public void An_empty_list_of_mechanisms_lets_nobody_log_in()
    {
        var options = new SmtpServerOptions { Store = Store, Tls = new TlsOptions(TestCertificate.Instance), Listeners = [new SmtpListenerOptions { Name = "a", Mechanisms = [] }] };
        options.Authenticate(static (_, _, _) => new(true));
        Assert.Contains("its Mechanisms are empty", Assert.Throws<ArgumentException>(() => new SmtpServer(options)).Message);
    }

    [Fact]
    public async Task A_server_starts_once_and_still_knows_where_it_was_when_it_has_stopped()
    {
        var options = new SmtpServerOptions { Store = Store, Policy = new TestPolicy() };
        options.Listen(0, TlsMode.None);
        await using var server = new SmtpServer(options);
        server.Start();
        Assert.Throws<InvalidOperationException>(server.Start);
        var endpoint = Assert.Single(server.Endpoints).Endpoint;
        await server.StopAsync(CancellationToken.None);
        Assert.Equal(endpoint, Assert.Single(server.Endpoints).Endpoint);
        Assert.Throws<InvalidOperationException>(server.Start);
    }

    [Fact]
    public async Task A_start_that_failed_can_be_tried_again()
    {
        using var other = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var options = new SmtpServerOptions { Store = Store, Policy = new TestPolicy() };
        options.Listen(0, TlsMode.None);
        options.Listen((IPEndPoint)other.LocalEndpoint, TlsMode.None);
        await using var server = new SmtpServer(options);
        Assert.Throws<ListenException>(server.Start);
        Assert.Empty(server.Endpoints);
        other.Stop();
        server.Start();
        foreach (var (_, endpoint) in server.Endpoints)
        {
            await using var client = await SmtpDialogue.GreetAsync(endpoint);
        }

        Assert.Equal(2, server.Endpoints.Count);
    }

    [Fact]
    public void A_mechanism_that_does_not_exist_is_named_with_those_that_do()
    {
        var listener = new SmtpListenerOptions { Name = "a", Tls = TlsMode.None, Mechanisms = ["NTLM"] };
        var options = new SmtpServerOptions { Store = Store, Policy = new TestPolicy(), Listeners = [listener] };
        Assert.Contains("names the mechanism NTLM, and there are ", Assert.Throws<ArgumentException>(() => new SmtpServer(options)).Message);
    }

    [Fact]
    public void Listening_is_on_loopback_with_TLS_named_by_port()
    {
        var options = new SmtpServerOptions();
        options.Listen(587);
        options.Listen(465);
        options.Listen(0);
        options.Listen(0, TlsMode.None);
        Assert.Equal(["submission", "submissions", "smtp", "smtp-2"], options.Listeners.Select(static l => l.Name));
        Assert.Equal([TlsMode.StartTls, TlsMode.Implicit, TlsMode.StartTls, TlsMode.None], options.Listeners.Select(static l => l.Tls));
        Assert.All(options.Listeners, static l => Assert.Equal(IPAddress.Loopback, l.Endpoints[0].Address));
    }

    [Fact]
    public async Task What_is_changed_after_construction_changes_nothing()
    {
        var options = new SmtpServerOptions { Store = Store, Policy = new TestPolicy() };
        options.Listen(0, TlsMode.None);
        await using var server = new SmtpServer(options);
        options.Listen(0, TlsMode.None);
        options.Store = new MemoryStore();
        server.Start();
        Assert.Single(server.Endpoints);
        Assert.Same(Store, server.Options.Store);
    }

    [Fact]
    public async Task Without_a_listener_there_is_nothing_to_start()
    {
        await using var server = new SmtpServer(new SmtpServerOptions { Store = Store });
        Assert.Throws<InvalidOperationException>(server.Start);
    }

    [Fact]
    public void A_development_certificate_is_for_the_name_and_has_its_key()
    {
        var certificate = TlsOptions.SelfSigned("mail.example.org").Certificate;
        Assert.True(certificate.HasPrivateKey);
        Assert.True(certificate.MatchesHostname("mail.example.org"));
        Assert.NotNull(certificate.PublicKey.GetECDsaPublicKey());
    }

    [Fact]
    public async Task A_password_prints_as_stars_and_a_check_that_throws_is_no_wrong_password()
    {
        string? printed = null;
        var checks = PasswordVerifier.From((user, password, ct) =>
        {
            printed = $"{password}";
            return user == "down" ? throw new InvalidOperationException("tiger") : new(user == "lisa" && password.Matches("tiger"));
        });
        var tiger = "tiger"u8.ToArray();
        Assert.Equal(new LoginAnswer.Match("lisa"), await checks.CheckAsync("lisa", tiger, peer: null, CancellationToken.None));
        Assert.IsType<LoginAnswer.NoMatch>(await checks.CheckAsync("lisa", "lion"u8.ToArray(), peer: null, CancellationToken.None));
        var unavailable = Assert.IsType<LoginAnswer.Unavailable>(await checks.CheckAsync("down", tiger, peer: null, CancellationToken.None));
        Assert.DoesNotContain("tiger", unavailable.Reason);
        Assert.Equal("***", printed);
    }
}
