using System.Net;
using System.Text;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Delivery;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Relay.Tests.Runtime;

/// <summary>Messages of users whom the system has named, from the intake to the queue.</summary>
public sealed class LocalSubmissionTests : IAsyncLifetime
{
    private readonly TemporaryDirectory data = new();
    private RelayService? relay;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (relay is not null)
            await relay.DisposeAsync();
        data.Dispose();
    }

    [Fact]
    public async Task A_user_of_this_machine_sends_as_anybody_unless_rules_say_else()
    {
        var answers = await SubmitAsync(new LocalRules(), "www-data", "shop@example.org", "Subject: x\nBcc: y@example.net\n\nbody\n");
        Assert.IsType<ClientAnswer.Accepted>(Assert.Single(answers));
        var entry = Assert.Single(await relay!.Spool.ListAsync(QueueFilter.Everything, after: null, most: 9, Ct));
        Assert.Equal(("www-data", "sendmail", "shop@example.org"), (entry.Envelope.Login, entry.Envelope.Listener, entry.Envelope.Sender.Address));
        var text = await TextAsync(entry);
        Assert.Contains("Subject: x\r\n", text, StringComparison.Ordinal);
        Assert.Contains("\r\nDate: ", text, StringComparison.Ordinal);
        Assert.Contains("\r\nMessage-ID: <", text, StringComparison.Ordinal);
        Assert.Contains("smtp.auth=www-data", text, StringComparison.Ordinal);
        Assert.DoesNotContain("y@example.net", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_rules_a_user_sends_as_what_an_account_of_its_name_owns_and_hears_of_a_refusal_itself()
    {
        var rules = new LocalRules { Sender = ["reject_sender_login_mismatch"] };
        var refused = Assert.IsType<ClientAnswer.Refused>(Assert.Single(await SubmitAsync(rules, "www-data", "boss@example.org", "\nx\n")));
        Assert.False(refused.Reply.IsTransient);
        await relay!.Local.ReportRefusedAsync("www-data", EnvelopeOf("boss@example.org"), [refused], "Subject: kept\r\n"u8.ToArray(), Ct);
        var report = Assert.Single(await relay.Spool.ListAsync(QueueFilter.Everything, after: null, most: 9, Ct));
        Assert.Equal("www-data@relay.test", report.Envelope.Recipients[0].Address);
        var text = await TextAsync(report);
        Assert.Contains("Subject: kept", text, StringComparison.Ordinal);
        Assert.Contains("bart@example.net", text, StringComparison.Ordinal);

        new DirectoryCommands(relay.Directory, TimeProvider.System, NoAuditLog.Instance, new Operator("test")).Accounts.Add(new AddAccount("www-data", ["shop@example.org"], []));
        Assert.IsType<ClientAnswer.Accepted>(Assert.Single(await relay.Local.SubmitAsync("www-data", EnvelopeOf("shop@example.org"), MessageContent.From("\r\nx\r\n"u8.ToArray()), Ct)));
    }

    private async Task<IReadOnlyList<ClientAnswer>> SubmitAsync(LocalRules rules, string user, string sender, string content)
    {
        relay = await RelayService.StartAsync(
            new RelayOptions
            {
                Hostname = "relay.test",
                DataDirectory = data.Path,
                Listeners = [new SmtpListenerOptions { Name = "smtp", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Off }],
                Delivery = new DeliveryOptions { Hostname = Domain.Parse("relay.test"), Routes = RouteTable.Hold },
                Local = rules,
            },
            TimeProvider.System);
        return await relay.Local.SubmitAsync(user, EnvelopeOf(sender), MessageContent.From(Encoding.UTF8.GetBytes(content)), Ct);
    }

    private static SmtpEnvelope EnvelopeOf(string sender) => new(new ReversePath(Mailbox.Parse(sender)), [Mailbox.Parse("bart@example.net")]);

    private async Task<string> TextAsync(SpoolEntry entry)
    {
        using var content = (await relay!.Spool.OpenContentAsync(entry.Envelope.Id, Ct))!;
        var octets = new byte[content.Length];
        for (var at = 0; at < octets.Length;)
            at += await content.ReadAsync(at, octets.AsMemory(at), Ct);
        return Encoding.UTF8.GetString(octets);
    }
}
