using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Routes that log in to their server.</summary>
public sealed class LoginDeliveryTests
{
    private const string Password = "tiger-tiger-burning";

    private static readonly X509Certificate2Collection Trusted = [TestCertificate.Instance];

    private static ClientLogin Login(string user) => new(new SaslClientCredentials { User = user, Password = new Secret(Password) });

    private static Route Route(string to, ScriptedSink sink, string user = "lisa", string query = "?tls=required") =>
        new(to, $"smtp://localhost:{sink.Port}{query}") { Login = Login(user), Trusted = Trusted };

    private static SinkOptions Server(Func<SinkPhase, string, SinkAction?>? script = null, X509Certificate2? certificate = null) => new()
    {
        Certificate = certificate ?? TestCertificate.Instance,
        Extensions = ["PIPELINING", "AUTH PLAIN LOGIN"],
        Script = (phase, line, _) => script?.Invoke(phase, line),
    };

    [Fact]
    public async Task A_message_goes_out_after_a_login()
    {
        await using var sink = new ScriptedSink(Server());
        await using var rig = new DeliveryRig(DeliveryRig.Options(Route("*", sink)));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");
        var message = await sink.NextMessageAsync();

        Assert.True(message.IsTls);
        Assert.Equal("MAIL FROM:<a@here.test> AUTH=<>", message.MailLine);
        Assert.Contains($"C: AUTH PLAIN {Convert.ToBase64String("\0lisa\0tiger-tiger-burning"u8)}", sink.Transcript(0));
    }

    [Fact]
    public async Task A_message_goes_out_after_a_login_by_the_certificate_of_the_route()
    {
        using var own = TestCertificate.Create("relay.test");
        await using var sink = new ScriptedSink(new SinkOptions { Certificate = TestCertificate.Instance, Extensions = ["PIPELINING", "AUTH PLAIN EXTERNAL"], AsksForCertificate = true });
        await using var rig = new DeliveryRig(DeliveryRig.Options(new Route("*", $"smtp://localhost:{sink.Port}?tls=required")
        {
            Login = new ClientLogin(new SaslClientCredentials { HasClientCertificate = true }),
            Certificate = own,
            Trusted = Trusted,
        }));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");
        await sink.NextMessageAsync();

        Assert.Contains($"-- certificate {own.Thumbprint}", sink.Transcript(0));
        Assert.Contains("C: AUTH EXTERNAL =", sink.Transcript(0));
    }

    [Theory]
    [InlineData("a..b@here.test", ".c@there.test")]
    [InlineData(".a@here.test", "c.@there.test")]
    [InlineData("\"a..b\"@here.test", "\"c.\"@there.test")]
    [InlineData("bounce+list-announce==9f2c6d51a7==firstname.lastname=subsidiary.example.net@here.test", "IMCEAEX-_O=CORP_OU=FIRST+20ADMINISTRATIVE+20GROUP_CN=RECIPIENTS_CN=LISA@there.test")]
    public async Task Addresses_beside_the_RFC_leave_as_they_came(string from, string to)
    {
        await using var sink = new ScriptedSink();
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)));
        rig.Scheduler.Start();

        await rig.AddAsync(e => e with { Said = e.Said with { Sender = new ReversePath(Mailbox.Parse(from)) } }, to);
        await sink.NextMessageAsync();

        var said = sink.Transcript(0);
        Assert.Contains(said, line => line.StartsWith($"C: MAIL FROM:<{from}>", StringComparison.Ordinal));
        Assert.Contains($"C: RCPT TO:<{to}>", said);
    }

    [Theory]
    [InlineData("AUTH CRAM-MD5")]
    [InlineData("AUTH DIGEST-MD5")]
    [InlineData("AUTH SCRAM-SHA-256")]
    [InlineData("AUTH PLAIN")]
    public async Task Row_224_a_login_on_an_opportunistic_route_is_not_begun_where_starttls_was_taken_off_the_offer(string offer)
    {
        await using var sink = new ScriptedSink(new SinkOptions { Extensions = ["PIPELINING", offer] });
        await using var rig = new DeliveryRig(DeliveryRig.Options(Route("*", sink, query: "?tls=opportunistic")));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");
        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();

        Assert.Equal((DeliveryOutcome.Deferred, "login: the server offers no TLS, and no login is made in clear unless the route says ?tls=none"), (delivery.Outcome, delivery.Reply));
        Assert.DoesNotContain(sink.Transcript(0), static line => line.StartsWith("C: AUTH", StringComparison.Ordinal));
    }

    /// <summary>Postfix does the same by smtp_sasl_auth_soft_bounce: an operator's mistake bounces nobody's mail.</summary>
    [Theory]
    [InlineData("535 5.7.8 Authentication credentials invalid")]
    [InlineData("454 4.7.0 Temporary authentication failure")]
    [InlineData("421 4.7.0 Too many logins")]
    public async Task A_refused_login_defers_by_its_mechanism_and_reply_whatever_its_code(string reply)
    {
        await using var sink = new ScriptedSink(Server((phase, _) => phase == SinkPhase.Auth ? new SinkAction.Reply(reply) : null));
        await using var rig = new DeliveryRig(DeliveryRig.Options(Route("*", sink)));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");
        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();

        Assert.Equal((DeliveryOutcome.Deferred, $"login by PLAIN: {reply}"), (delivery.Outcome, delivery.Reply));
        Assert.Empty(sink.Messages);
        Assert.Equal(1, sink.Connections);
    }

    private const string NoLogin = "the server wants a login, and its route (delivery.routes) has no 'login'";
    private const string OtherLogin = "the server took the login of its route, and wants another for this mail";

    [Theory]
    [InlineData(SinkPhase.Mail, "530 5.7.0 Authentication required", false, NoLogin, "login_failed")]
    [InlineData(SinkPhase.Rcpt, "530 5.7.57 Client not authenticated to send mail", false, NoLogin, "login_failed")]
    [InlineData(SinkPhase.Data, "530 Authentication required", false, NoLogin, "login_failed")]
    [InlineData(SinkPhase.EndOfData, "530 5.7.0 Authentication required", false, NoLogin, "login_failed")]
    [InlineData(SinkPhase.Mail, "535 5.7.8 Log in first", false, NoLogin, "login_failed")]
    [InlineData(SinkPhase.Mail, "530 5.7.57 Client not authenticated", true, OtherLogin, "login_failed")]
    [InlineData(SinkPhase.Mail, "534 5.7.9 Please log in with your web browser", true, OtherLogin, "login_failed")]
    [InlineData(SinkPhase.Rcpt, "538 5.7.11 Encryption required", true, OtherLogin, "login_failed")]
    public async Task A_server_of_a_route_that_wants_a_login_before_mail_defers_it_and_says_what_to_configure(
        SinkPhase at, string reply, bool logsIn, string words, string category)
    {
        await using var sink = new ScriptedSink(Server((phase, _) => phase == at ? new SinkAction.Reply(reply) : null));
        var route = Route("*", sink);
        await using var rig = new DeliveryRig(DeliveryRig.Options(logsIn ? route : route with { Login = null }));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");
        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();

        Assert.Equal((DeliveryOutcome.Deferred, $"{words}: {reply}", category), (delivery.Outcome, delivery.Reply, delivery.Category));
        Assert.StartsWith($"{delivery.Code}", reply, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("530 5.7.0 Must issue a STARTTLS command first", false, "the server wants TLS or a login first: its route has no 'login', and its 'via' says ?tls=none")]
    [InlineData("538 5.7.11 Encryption required", false, "the server wants TLS first, and its 'via' says ?tls=none")]
    [InlineData("530 5.7.0 Must issue a STARTTLS command first", true, "the server wants TLS first, and its 'via' says ?tls=none")]
    public async Task A_server_of_a_route_that_wants_tls_before_mail_defers_it_and_says_what_to_configure(string reply, bool logsIn, string words)
    {
        await using var sink = new ScriptedSink(Server((phase, _) => phase == SinkPhase.Mail ? new SinkAction.Reply(reply) : null));
        var route = Route("*", sink, query: "?tls=none") with { Trusted = null };
        await using var rig = new DeliveryRig(DeliveryRig.Options(route with { Login = logsIn ? route.Login! with { AllowsExposure = true } : null }));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");
        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();

        Assert.Equal((DeliveryOutcome.Deferred, $"{words}: {reply}", "no_tls"), (delivery.Outcome, delivery.Reply, delivery.Category));
    }

    [Fact]
    public async Task The_next_server_of_the_route_is_asked_where_one_wants_a_login()
    {
        await using var first = new ScriptedSink(Server((phase, _) => phase == SinkPhase.Mail ? new SinkAction.Reply("530 5.7.0 Authentication required") : null));
        await using var second = new ScriptedSink(Server());
        await using var rig = new DeliveryRig(DeliveryRig.Options(
            new Route("*", $"smtp://localhost:{first.Port}?tls=required", $"smtp://localhost:{second.Port}?tls=required") { Trusted = Trusted }));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");

        Assert.Equal(["b@there.test"], (await second.NextMessageAsync()).Recipients);
    }

    [Theory]
    [InlineData("?tls=none", "login: PLAIN would show the secret: the connection has no TLS")]
    [InlineData("?tls=opportunistic", "login: PLAIN would show the secret: the server's certificate did not verify")]
    [InlineData("?tls=required", "unknown issuer: the certificate is self-signed")]
    [InlineData("", "unknown issuer: the certificate is self-signed")]
    public async Task Row_27_no_password_goes_to_a_certificate_that_does_not_verify(string query, string reason)
    {
        using var other = TestCertificate.Create("localhost");
        await using var sink = new ScriptedSink(Server(certificate: other));
        var route = Route("*", sink, query: query);
        await using var rig = new DeliveryRig(DeliveryRig.Options(query == "?tls=none" ? route with { Trusted = null } : route));
        rig.Scheduler.Start();

        await rig.AddAsync("b@there.test");
        var delivery = await rig.Audit.NextAsync<DeliveryEvent>();

        Assert.Equal(DeliveryOutcome.Deferred, delivery.Outcome);
        Assert.Contains(reason, delivery.Reply, StringComparison.Ordinal);
        Assert.DoesNotContain(sink.Transcript(0), static l => l.StartsWith("C: AUTH", StringComparison.Ordinal));
        Assert.Empty(sink.Messages);
    }

    [Fact]
    public async Task Two_routes_to_one_server_never_share_a_connection()
    {
        await using var sink = new ScriptedSink(Server());
        await using var rig = new DeliveryRig(DeliveryRig.Options(Route("one.test", sink, "lisa"), Route("two.test", sink, "bart")));
        rig.Scheduler.Start();

        foreach (var domain in (string[])["one.test", "two.test", "one.test", "two.test"])
        {
            await rig.AddAsync($"b@{domain}");
            var message = await sink.NextMessageAsync();
            var user = domain == "one.test" ? "lisa" : "bart";
            var logins = sink.Transcript(message.Connection).Where(static l => l.StartsWith("C: AUTH", StringComparison.Ordinal));
            Assert.Equal([$"C: AUTH PLAIN {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"\0{user}\0{Password}"))}"], logins);
        }

        Assert.Equal(2, sink.Connections);
    }

    [Fact]
    public async Task A_certificate_of_an_authority_that_the_route_trusts_verifies_by_its_name_only()
    {
        using var authority = Authority();
        using var right = Issue(authority, "localhost");
        using var wrong = Issue(authority, "other.test");
        await using var good = new ScriptedSink(Server(certificate: right));
        await using var bad = new ScriptedSink(Server(certificate: wrong));
        X509Certificate2Collection roots = [authority];
        await using var rig = new DeliveryRig(DeliveryRig.Options(Route("good.test", good) with { Trusted = roots }, Route("bad.test", bad) with { Trusted = roots }));
        rig.Scheduler.Start();

        await rig.AddAsync("b@bad.test");
        Assert.Contains("wrong name: ", (await rig.Audit.NextAsync<DeliveryEvent>()).Reply, StringComparison.Ordinal);
        await rig.AddAsync("b@good.test");
        Assert.True((await good.NextMessageAsync()).IsTls);
    }

    private static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return TestCertificate.Create(
            new CertificateRequest("CN=authority.test", key, HashAlgorithmName.SHA256),
            new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(authority, authority.NotBefore, authority.NotAfter, [1, 2, 3]);
        using var whole = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), password: null);
    }
}
