using Postern.Relay.Spool;
using Postern.Smtp.Client;

namespace Postern.Relay.Delivery;

/// <summary>A job with its content open, ready to be sent.</summary>
internal sealed class PreparedJob(DeliveryJob job, ISpoolContent content) : IMessageContent, IDisposable
{
    private OutgoingMessage? message;

    public DeliveryJob Job { get; } = job;

    public OutgoingMessage Message => message ??= new OutgoingMessage(
        Job.Message.Envelope.Sender,
        Job.Recipients.IsDefault ? Job.Message.Envelope.Recipients : [.. Job.Recipients.Select(i => Job.Message.Envelope.Recipients[i])],
        this,
        Job.Message.Envelope.Is8Bit);

    public long Length => content.Length;

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct) => content.ReadAsync(offset, buffer, ct);

    public void Dispose() => content.Dispose();
}
