using System.Collections.Immutable;
using Postern.Relay.Delivery.Places;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>A job with its content open, ready to be sent.</summary>
/// <param name="now">What is left of a deadline is counted from here.</param>
/// <param name="host">
/// Records what is decided before the attempt is over; its <see cref="ILaneHost.Stopping"/> calls the job off while the next hop cannot
/// have it.
/// </param>
internal sealed class PreparedJob(DeliveryJob job, ISpoolContent content, DateTimeOffset now, ILaneHost host)
    : IMessageContent, IQueuedContent, IOutcomeRecord, IDisposable
{
    private OutgoingMessage? message;

    public DeliveryJob Job { get; } = job;

    public OutgoingMessage Message => message ??= Make(Job.Message.Envelope);

    /// <summary>Whose it is, where the next hop is told; null for nobody.</summary>
    public PeerClaims? Client { private get; init; }

    public long Length => content.Length;

    public QueueId QueueId => Job.Message.Id;

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct) => content.ReadAsync(offset, buffer, ct);

    public ValueTask RecordAsync(IReadOnlyList<Outcome> outcomes) => host.RecordAsync(Job, outcomes);

    public void Dispose() => content.Dispose();

    private OutgoingMessage Make(Envelope envelope)
    {
        var said = envelope.ForNextHop(now);
        // A sender of its own is one for good: the next hop makes none of it.
        if (said.Parameters.Verp is not null)
            said = said with { Parameters = said.Parameters with { Verp = null } };
        if (Job.SentAs is { } sender)
            said = said with { Sender = new ReversePath(sender) };
        return new OutgoingMessage(Job.Recipients.IsDefault ? said : said.For(Job.Recipients.AsSpan()), this)
        {
            HasUtf8Header = envelope.HasUtf8Header,
            Client = Client,
            Revoked = host.Stopping,
        };
    }
}

/// <summary>One transaction to make: a message for those of its recipients that share a next hop, and a sender.</summary>
/// <param name="Recipients">Indexes into the envelope's recipients; default: all of them.</param>
/// <param name="ReadyAt">When it began to wait for a connection; a timestamp of the clock.</param>
internal sealed record DeliveryJob(TrackedMessage Message, ImmutableArray<int> Recipients, long ReadyAt)
{
    /// <summary>The envelope index of the job's recipient <paramref name="i"/>.</summary>
    public int IndexOf(int i) => Recipients.IsDefault ? i : Recipients[i];

    /// <summary>The sender that all of its recipients are sent with; null for that of the envelope.</summary>
    public Mailbox? SentAs { get; init; }

    /// <summary>The rates that it waits for; guarded by the gate of its queue, as what follows.</summary>
    public RateNeeds? CountedFor { get; set; }

    /// <summary>Those that it has been let through by.</summary>
    public RateNeeds? ChargedFor { get; set; }
}
