using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>One connection to one next hop, made anew when it is lost or has carried enough.</summary>
internal sealed class SmtpLane(NextHop hop, HopConnector connector, int messagesPerConnection) : IDeliveryLane
{
    /// <summary>
    /// A stranger's DNS named the host, and nothing here proves that answer, so its certificate proves nothing either (RFC 8689 §4.2.1).
    /// </summary>
    private static readonly Outcome.Failed NoProof = new(
        Remote: null, "REQUIRETLS: the mail exchangers of the domain cannot be authenticated; only a configured next hop with TLS can", Tls: null, "5.7.30");

    private SmtpClientDialogue? dialogue;
    private string remote = string.Empty;
    private string? tls;
    private int messages;

    public bool IsConnected => dialogue is { IsOpen: true };

    public async ValueTask<DeliveryReport> DeliverAsync(OutgoingMessage message, OutgoingMessage? following, CancellationToken ct)
    {
        if (message.Parameters.RequiresTls && hop is NextHop.MailExchanger)
            return new DeliveryReport(Enumerable.Repeat<Outcome>(NoProof, message.Recipients.Count).ToArray(), Reached: true);
        var isReused = IsConnected;
        while (true)
        {
            if (!IsConnected)
            {
                await CloseAsync().ConfigureAwait(false);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, message.Revoked);
                var connection = await connector.ConnectAsync(hop, either.Token).ConfigureAwait(false);
                if (connection is HopConnection.Closed(var outcome))
                    return new DeliveryReport(Enumerable.Repeat(outcome, message.Recipients.Count).ToArray(), Reached: false);
                (dialogue, remote) = (HopConnection.Open)connection;
                tls = dialogue.Tls?.Version;
                messages = 0;
            }

            var isLast = ++messages >= messagesPerConnection;
            var answers = await dialogue!.SendAsync(message, isLast || !SendsAhead ? null : following, ct).ConfigureAwait(false);
            if (isReused && IsStale(answers[0]))
            {
                isReused = false;
                continue;
            }

            var outcomes = ClientOutcomes.Of(answers, remote, tls, dialogue.Extensions);
            if (isLast || !IsConnected)
                await CloseAsync().ConfigureAwait(false);
            return new DeliveryReport(outcomes, Reached: true);
        }
    }

    public ValueTask DisposeAsync() => CloseAsync();

    /// <summary>Only to hosts the operator chose: RFC 2920 allows it, yet servers of strangers are not asked to prove it.</summary>
    private bool SendsAhead => hop is NextHop.SmartHost;

    /// <summary>The server closed a connection that had waited: nothing of this message was sent, so it does not count.</summary>
    private static bool IsStale(ClientAnswer answer) => answer
        is ClientAnswer.Broken(ClientPhase.Mail, ClientFault.ConnectionLost, _)
        or ClientAnswer.Refused(ClientPhase.Mail, { Code: 421 });

    private async ValueTask CloseAsync()
    {
        if (dialogue is not { } open)
            return;
        dialogue = null;
        await open.QuitAsync(CancellationToken.None).ConfigureAwait(false);
        await open.DisposeAsync().ConfigureAwait(false);
    }
}
