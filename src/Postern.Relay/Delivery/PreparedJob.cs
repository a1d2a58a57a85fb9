using System.Collections.Immutable;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Client;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery;

/// <summary>A job with its content open, ready to be sent.</summary>
/// <param name="now">What is left of a deadline is counted from here.</param>
/// <param name="host">Records what is decided before the attempt is over; its <see cref="ILaneHost.Stopping"/> calls the job off while the next hop cannot have it.</param>
internal sealed class PreparedJob(DeliveryJob job, ISpoolContent content, DateTimeOffset now, ILaneHost host) : IMessageContent, IOutcomeRecord, IDisposable
{
    private static readonly TimeSpan Least = TimeSpan.FromMinutes(1);

    private OutgoingMessage? message;

    public DeliveryJob Job { get; } = job;

    public OutgoingMessage Message => message ??= Make(Job.Message.Envelope);

    public long Length => content.Length;

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct) => content.ReadAsync(offset, buffer, ct);

    public ValueTask RecordAsync(IReadOnlyList<Outcome> outcomes) => host.RecordAsync(Job, outcomes);

    public void Dispose() => content.Dispose();

    private OutgoingMessage Make(Envelope envelope) => new(envelope.Sender, Of(envelope.Recipients), this)
    {
        Parameters = Parameters(envelope),
        RecipientParameters = envelope.RecipientParameters.IsEmpty ? [] : Of(envelope.RecipientParameters),
        HasUtf8Header = envelope.HasUtf8Header,
        Revoked = host.Stopping,
    };

    /// <summary>A hold is over when a message is sent: it was kept here, and is not asked for again.</summary>
    private MailParameters Parameters(Envelope envelope) => envelope is { Deadline: null, Parameters.HoldUntil: null }
        ? envelope.Parameters
        : envelope.Parameters with { DeliverBy = Left(envelope.Deadline), HoldUntil = null };

    /// <summary>A deadline of mode R that has passed is one under a clock that was set: it is tried once, and no server takes a time that is over.</summary>
    private DeliverBy? Left(DeliveryDeadline? deadline) => deadline?.Left(now) is not { } left ? null
        : left is { IsNotify: false } && left.Within < Least ? left with { Within = Least }
        : left;

    private ImmutableArray<T> Of<T>(ImmutableArray<T> each) => Job.Recipients.IsDefault ? each : [.. Job.Recipients.Select(i => each[i])];
}
