using System.Net;
using System.Text;
using Postern.Relay.Audit;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Runtime;
using Postern.Relay.Tests.Delivery;
using Postern.Relay.Tests.Spool;
using Postern.Smtp;
using Postern.Smtp.Message;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Runtime;

/// <summary>
/// MT-PRIORITY carries data, and is one file and one line in the table: nothing in the session, the envelope, the spool or the client names it, and
/// it goes from the client through a spool that was closed and opened again to the next hop.
/// </summary>
public sealed class ExtensionWithDataTests
{
    [Theory]
    [InlineData("MT-PRIORITY", " BODY=8BITMIME MT-PRIORITY=-4")]
    [InlineData("MT-PRIORITY STANAG4406", " BODY=8BITMIME MT-PRIORITY=-4")]
    [InlineData("DSN", " BODY=8BITMIME")]
    public async Task What_an_extension_brings_goes_from_the_client_through_the_spool_to_the_next_hop(string offered, string said)
    {
        using var home = new SpoolHome();
        await using (var spool = home.Open())
            await SubmitAsync(new PriorityStore(new SubmissionStore(spool, NoAuditLog.Instance, TimeProvider.System)));

        await using var sink = new ScriptedSink(new SinkOptions { Extensions = ["8BITMIME", offered] });
        await using var again = home.Open();
        var options = DeliveryRig.Options(DeliveryRig.To("*", sink.Port));
        await using var scheduler = new DeliveryScheduler(again, new SmtpDelivery(options, TimeProvider.System), options, NoAuditLog.Instance, TimeProvider.System);
        scheduler.Start();

        Assert.Equal("MAIL FROM:<a@example.org>" + said, (await sink.NextMessageAsync()).MailLine);
    }

    private static async Task SubmitAsync(IMessageStore store)
    {
        var options = new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None };
        var server = new SmtpServer(new SmtpServerOptions { Hostname = "mail.example.org", Listeners = [options], Policy = new TestPolicy(), Store = store });
        const string Says = "EHLO c\r\nMAIL FROM:<a@example.org> BODY=8BITMIME MT-PRIORITY=-4\r\nRCPT TO:<b@accepted.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n";
        using var stream = new PieceStream(Encoding.Latin1.GetBytes(Says), static () => int.MaxValue, 100_000);
        await server.HoldAsync(stream, options, IPAddress.Loopback);
    }

    private sealed class PriorityStore(IMessageStore store) : IMessageStore
    {
        public StoreFeatures Honours => store.Honours | StoreFeatures.Priority;

        public ValueTask<DraftAnswer> BeginAsync(SessionState session, Transaction transaction, CancellationToken ct) => store.BeginAsync(session, transaction, ct);
    }
}
