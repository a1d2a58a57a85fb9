using System.Net;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Tests.Hosting;

/// <summary>Puts messages into a spool.</summary>
internal static class SpooledMessages
{
    /// <param name="sender">Empty for the null sender.</param>
    public static async Task<QueueId> AddAsync(this ISpool spool, string sender, string[] recipients, Func<DeliveryState, DeliveryState>? change = null, TimeSpan age = default, string content = "Subject: x\r\n\r\nx\r\n")
    {
        var arrived = TimeProvider.System.GetUtcNow() - age;
        var envelope = new Envelope
        {
            Id = QueueId.New(TimeProvider.System),
            ArrivedAt = arrived,
            Said = new(new ReversePath(sender.Length == 0 ? null : Mailbox.Parse(sender)), [.. recipients.Select(Mailbox.Parse)]),
            Client = IPAddress.Loopback,
            Listener = "submission",
        };
        var state = DeliveryState.Fresh(recipients.Length, arrived);
        await using var draft = spool.CreateDraft();
        await draft.AppendAsync(System.Text.Encoding.UTF8.GetBytes(content), CancellationToken.None);
        Assert.IsType<SpoolCommit.Durable>(await draft.CommitAsync(envelope, change?.Invoke(state) ?? state, CancellationToken.None));
        return envelope.Id;
    }
}
