using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit;

/// <summary>
/// Events as they happen, for whoever watches. Nobody is waited for: who reads too slowly is told so and looks into the log.
/// </summary>
public sealed class EventHub : IEventSink
{
    private ImmutableArray<EventSubscription> subscriptions = [];
    private ImmutableArray<IEventSink> attached = [];
    private long lost;

    public string Name => "live view";

    public long Lost => Interlocked.Read(ref lost);

    /// <param name="query">What is wanted; its limit is not used.</param>
    /// <returns>Watches from now on, until it is disposed.</returns>
    public EventSubscription Subscribe(AuditQuery query)
    {
        var subscription = new EventSubscription(
            query, gone => ImmutableInterlocked.Update(ref subscriptions, static (all, one) => all.Remove(one), gone));
        ImmutableInterlocked.Update(ref subscriptions, static (all, one) => all.Add(one), subscription);
        return subscription;
    }

    /// <summary>Gives a sink all events from now on, for as long as the server lives.</summary>
    public void Attach(IEventSink sink) =>
        ImmutableInterlocked.Update(ref attached, static (all, one) => all.Add(one), sink);

    public void OfferRepeat(AuditCause cause, AuditEvent? audit)
    {
        foreach (var sink in attached)
            sink.OfferRepeat(cause, audit);
    }

    public void Offer(AuditEvent audit)
    {
        foreach (var sink in attached)
            sink.Offer(audit);
        foreach (var subscription in subscriptions)
        {
            if (!subscription.Offer(audit))
                Interlocked.Increment(ref lost);
        }
    }
}

/// <summary>One who watches.</summary>
public sealed class EventSubscription : IDisposable
{
    /// <summary>Events that wait to be read.</summary>
    public const int MostWaiting = 1_024;

    private readonly Channel<AuditEvent> waiting = Channel.CreateBounded<AuditEvent>(
        new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private readonly AuditFilter filter;
    private readonly Action<EventSubscription> whenGone;
    private readonly Lock gate = new();
    private long missed;

    internal EventSubscription(AuditQuery query, Action<EventSubscription> whenGone)
    {
        filter = new AuditFilter(query);
        this.whenGone = whenGone;
    }

    /// <summary>
    /// Events in the order in which they happened, until cancelled or disposed; a sign where some are missing. To be read by one.
    /// </summary>
    public async IAsyncEnumerable<LiveEvent> ReadAsync([EnumeratorCancellation] CancellationToken ct)
    {
        while (await waiting.Reader.WaitToReadAsync(ct))
        {
            while (waiting.Reader.TryRead(out var audit))
                yield return new LiveEvent.Happened(audit);
            // What was missed came behind what waited: there was no room then.
            if (Interlocked.Exchange(ref missed, 0) is > 0 and var count)
                yield return new LiveEvent.Lagged(count);
        }
    }

    public void Dispose()
    {
        whenGone(this);
        waiting.Writer.TryComplete();
    }

    /// <summary>False when it was wanted and there was no room.</summary>
    internal bool Offer(AuditEvent audit)
    {
        lock (gate)
        {
            if (!filter.Takes(audit) || waiting.Writer.TryWrite(audit))
                return true;
        }

        Interlocked.Increment(ref missed);
        return false;
    }
}

/// <summary>What one who watches is given.</summary>
public abstract record LiveEvent
{
    private LiveEvent()
    {
    }

    public sealed record Happened(AuditEvent Event) : LiveEvent;

    /// <summary>So many events that were wanted are missing here: the log has them.</summary>
    public sealed record Lagged(long Missed) : LiveEvent;
}
