using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>What the parts of the scheduler share: the messages at work, the settings, and the spool that they are claimed from.</summary>
internal sealed class DeliveryWork(ISpool spool, DeliveryOptions options, IAuditLog audit, TimeProvider clock, Random random) : IDisposable
{
    private volatile DeliveryOptions options = options;
    private volatile bool isStopping;

    /// <summary>Guards everything here and what is known of each message.</summary>
    public Lock Gate { get; } = new();

    public ISpool Spool => spool;

    public TimeProvider Clock => clock;

    public DateTimeOffset Now => clock.GetUtcNow();

    public IAuditLog Audit => audit;

    /// <summary>Hears of recipients that were refused for a reason that stays.</summary>
    public Action<HardBounce>? OnHardBounce { get; set; }

    /// <summary>Messages whose delivery is over.</summary>
    public EndedMail Ended { get; } = new(spool, audit, (what, detail) => audit.Append(new ServerEvent(clock.GetUtcNow(), what, detail)));

    public DeliveryOptions Options
    {
        get => options;
        set => options = value;
    }

    /// <summary>How fast mail may leave.</summary>
    public required Paces Paces { get; init; }

    /// <summary>What operators have suspended; set before anything is claimed.</summary>
    public Suspensions Suspensions { get; set; } = new();

    /// <summary>What was lately sent where; set before anything is claimed.</summary>
    public SentBefore Sent { get; set; } = new();

    /// <summary>Set before anything is claimed.</summary>
    public ISpoolClaims Claims { get; set; } = null!;

    /// <summary>What is worked on: claimed, and sent or about to be.</summary>
    public Dictionary<QueueId, TrackedMessage> Messages { get; } = [];

    /// <summary>Of <see cref="Messages"/>, how many are of which <see cref="Doubt"/>.</summary>
    public int[] Doubtful { get; } = new int[3];

    /// <summary>What must be known of messages that nobody works on now.</summary>
    public Dictionary<QueueId, MessageMemory> Memories { get; } = [];

    /// <summary>No further attempt begins.</summary>
    public bool IsStopping
    {
        get => isStopping;
        set => isStopping = value;
    }

    public CancellationTokenSource Stopping { get; } = new();

    public CancellationTokenSource Abandoned { get; } = new();

    /// <summary>Where a recipient of a message goes next.</summary>
    public NextHop HopOf(Envelope envelope, DeliveryState state, int recipient)
    {
        var address = envelope.Recipients[recipient];
        return envelope.Expanded is { } expanded && expanded.Places.Contains(recipient) ? options.Aliases.HopOf(address)
            : state.Via is { } via ? OtherWay.Find(via, envelope, address)
            : options.Routes.Find(envelope, address);
    }

    /// <summary>The sender that its server is told; null for that of the envelope.</summary>
    public Mailbox? SentAs(Envelope envelope, int recipient) => Senders.SentAs.Of(envelope, recipient, options, Now);

    /// <summary>Uniform in [0, 1).</summary>
    public double Chance() => random.NextDouble();

    public void Tell(string what, string detail) => audit.Append(new ServerEvent(Now, what, detail));

    /// <summary>The message of a claim, with what is known of it.</summary>
    public TrackedMessage Track(SpoolClaim claim)
    {
        lock (Gate)
            return new TrackedMessage(claim, Memories.Remove(claim.Id, out var memory) ? memory : null);
    }

    /// <summary>Begins to work on a message; with the gate held.</summary>
    public void Begin(TrackedMessage message)
    {
        Messages.Add(message.Id, message);
        Doubtful[(int)message.Doubt]++;
    }

    /// <summary>Nobody works on a message any more; with the gate held. Null where nobody did.</summary>
    public TrackedMessage? End(QueueId id)
    {
        if (Messages.Remove(id, out var message))
            Doubtful[(int)message.Doubt]--;
        return message;
    }

    /// <summary>Nobody works on it any more, and it stays in the spool.</summary>
    public ValueTask ReleaseAsync(TrackedMessage message, string? shelf)
    {
        lock (Gate)
        {
            End(message.Id);
            if (message is { Known: { IsEmpty: false } known, IsRemoved: false })
                Memories[message.Id] = known;
        }

        return Claims.ReleaseAsync(message.Claim, shelf, CancellationToken.None);
    }

    /// <summary>It is no longer in the spool.</summary>
    public void Forget(TrackedMessage message)
    {
        lock (Gate)
        {
            message.IsRemoved = true;
            End(message.Id);
            Memories.Remove(message.Id);
        }
    }

    public void Dispose()
    {
        Stopping.Dispose();
        Abandoned.Dispose();
    }
}
