using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Services;
using Postern.Relay.Runtime;
using Postern.Relay.Spool.Memory;
using Postern.Smtp;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Policy.Services;

/// <summary>The rules that ask others as a client meets them, in a session over TCP.</summary>
public sealed class AskedDialogueTests : IAsyncDisposable
{
    private readonly MemorySpool spool = new();
    private readonly RecordingAuditLog audit = new();
    private readonly FakeDirectory directory = new Judge().Directory;
    private SmtpServer? server;

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
        await spool.DisposeAsync();
    }

    [Fact]
    public async Task A_policy_service_answers_MAIL_RCPT_and_the_message()
    {
        await using var service = new ScriptedPolicyService(static question => ScriptedPolicyService.Said.Action((question["protocol_state"], question["sender"], question["recipient"]) switch
        {
            ("MAIL", "bad@foreign.example", _) => "REJECT 5.7.1 Not you",
            ("MAIL", _, _) => "DUNNO",
            ("RCPT", _, "later@example.org") => "DEFER_IF_PERMIT 4.2.0 Greylisted",
            ("RCPT", _, "gone@example.org") => "550 5.1.1 Moved away",
            ("DATA", "slow@foreign.example", _) => "DEFER come again",
            _ => "PREPEND X-Asked: yes",
        }));
        var ask = $"check_policy_service at: {service.Place}, ok: pass";
        await using var client = await GreetAsync(new PolicyOptions { SenderRules = [ask], RecipientRules = [ask, "reject_unauth_destination"], MessageRules = [ask] });
        await client.SayAsync("MAIL FROM:<bad@foreign.example>", "554 5.7.1 Not you (ref ");
        await client.SayAsync("MAIL FROM:<a@foreign.example>", "250");
        await client.SayAsync("RCPT TO:<later@example.org>", "450 4.2.0 Greylisted (ref ");
        await client.SayAsync("RCPT TO:<later@elsewhere.example>", "550 5.7.1 <later@elsewhere.example>: Relay access denied (ref ");
        await client.SayAsync("RCPT TO:<gone@example.org>", "550 5.1.1 Moved away (ref ");
        await client.SayAsync("RCPT TO:<b@example.org>", "250 2.1.5 Ok");
        await client.SayAsync("DATA", "354");
        await client.SayAsync("Subject: x\r\n\r\nx\r\n.", "250 2.0.0 Queued as ");
        Assert.Equal(1, spool.Count);
        await client.SayAsync("MAIL FROM:<slow@foreign.example>", "250");
        await client.SayAsync("RCPT TO:<b@example.org>", "250");
        await client.SayAsync("DATA", "354");
        await client.SayAsync("Subject: x\r\n\r\nx\r\n.", "450 4.7.1 come again (ref ");
        await service.DisposeAsync();
        await client.SayAsync("MAIL FROM:<a@foreign.example>", "451 4.3.0 Temporary failure, try again later (ref ");
        Assert.Equal(1, spool.Count);
    }

    [Fact]
    public async Task A_service_in_json_answers_RCPT()
    {
        await using var service = new WebServer(static question =>
        {
            var asked = JsonNode.Parse(question.Body)!;
            var answer = asked["recipient"]!.GetValue<string>() == "b@example.org"
                ? new JsonObject { ["action"] = "dunno" }
                : new JsonObject { ["action"] = "reject", ["code"] = 550, ["status"] = "5.1.1", ["text"] = "Not\r\n250 here" };
            answer["id"] = asked["id"]!.GetValue<string>();
            return new WebReply(200, answer.ToJsonString());
        });
        var ask = string.Create(CultureInfo.InvariantCulture, $"check_http_policy http://127.0.0.1:{service.Port}/");
        await using var client = await GreetAsync(new PolicyOptions { SenderRules = [], RecipientRules = [ask, "reject_unauth_destination"] });
        await client.SayAsync("MAIL FROM:<a@foreign.example>", "250");
        await client.SayAsync("RCPT TO:<c@example.org>", "550 5.1.1 Not??250 here (ref ");
        await client.SayAsync("RCPT TO:<b@example.org>", "250 2.1.5 Ok");
        service.Stop();
        await client.SayAsync("RCPT TO:<b@example.org>", "451 4.3.0 Temporary failure, try again later (ref ");
    }

    [Fact]
    public async Task A_client_that_does_not_wait_is_refused_where_it_is_known()
    {
        var options = new PolicyOptions { SenderRules = ["reject_unauth_pipelining"], RecipientRules = ["reject_unauth_destination"], MessageRules = ["reject_unauth_pipelining"] };
        await using (var client = await GreetAsync(options))
        {
            // As RFC 2920 has it.
            await client.WriteAsync("MAIL FROM:<a@foreign.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n");
            await client.ExpectAsync("250 2.1.0");
            await client.ExpectAsync("250 2.1.5");
            await client.ExpectAsync("354");
            await client.SayAsync("Subject: x\r\n\r\nx\r\n.", "250 2.0.0 Queued as ");
            // Content ahead of 354: it is taken, and refused at its end.
            await client.SayAsync("MAIL FROM:<a@foreign.example>", "250");
            await client.SayAsync("RCPT TO:<b@example.org>", "250");
            await client.WriteAsync("DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n");
            await client.ExpectAsync("354");
            await client.ExpectAsync("503 5.5.0 Improper use of SMTP command pipelining (ref ");
            await client.SayAsync("MAIL FROM:<a@foreign.example>", "503 5.5.0 Improper use of SMTP command pipelining (ref ");
        }

        await using var old = await SmtpDialogue.OpenAsync(server!.Endpoints[0].Endpoint);
        await old.ExpectAsync("220");
        await old.WriteAsync("HELO client.example\r\nMAIL FROM:<a@foreign.example>\r\n");
        await old.ExpectAsync("250");
        await old.ExpectAsync("503 5.5.0 Improper use of SMTP command pipelining (ref ");
        Assert.Equal(1, spool.Count);
    }

    [Fact]
    public async Task A_recipient_that_its_own_server_refuses_is_refused()
    {
        await using var sink = new ScriptedSink(new SinkOptions
        {
            Script = static (phase, line, _) => phase == SinkPhase.Rcpt && line.Contains("gone@", StringComparison.Ordinal) ? new SinkAction.Reply("550 5.1.1 no such user") : null,
        });
        var routes = RouteTable.Parse([new Route("*", string.Create(CultureInfo.InvariantCulture, $"smtp://127.0.0.1:{sink.Port}"))]);
        var delivery = new DeliveryOptions { Hostname = Domain.Parse("mail.example.org"), Routes = Assert.IsType<RouteParse.Ok>(routes).Table };
        var options = new PolicyOptions { SenderRules = [], RecipientRules = ["reject_unverified_recipient", "reject_unauth_destination"] };
        await using var client = await GreetAsync(options, new VerifiedRecipients(new RecipientProbe(delivery, TimeProvider.System), TimeProvider.System));
        await client.SayAsync("MAIL FROM:<a@foreign.example>", "250");
        await client.SayAsync("RCPT TO:<gone@example.org>", "550 5.1.1 <gone@example.org>: Recipient address rejected: undeliverable address (ref ");
        await client.SayAsync("RCPT TO:<GONE@example.org>", "550 5.1.1");
        await client.SayAsync("RCPT TO:<b@example.org>", "250 2.1.5 Ok");
        await client.SayAsync("RCPT TO:<b@elsewhere.example>", "550 5.7.1");
        Assert.Equal(2, sink.Connections);
        Assert.Empty(sink.Messages);
    }

    private Task<SmtpDialogue> GreetAsync(PolicyOptions options, VerifiedRecipients? recipients = null)
    {
        var policy = new RelayPolicy(options, directory, audit, TimeProvider.System)
        {
            Services = new PolicyServices(TimeProvider.System) { Recipients = recipients },
        };
        server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [new SmtpListenerOptions { Name = "mx", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Off }],
            Policy = policy,
            Store = new SubmissionStore(spool, audit, TimeProvider.System, _ => directory, policy: policy),
        });
        server.Start();
        return SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint);
    }
}
