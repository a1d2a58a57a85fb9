using Postern.Relay.Delivery.Transports;
using Postern.Smtp.Client;

namespace Postern.Relay.Delivery;

/// <summary>A way to carry messages to a next hop.</summary>
public interface IDeliveryTransport
{
    /// <summary>A line of conversation with one next hop; connects when first needed.</summary>
    IDeliveryLane OpenLane(NextHop hop);

    /// <summary>Takes new settings; connections that are open keep the old ones until they are made anew.</summary>
    void Apply(DeliveryOptions options)
    {
    }

    /// <summary>No further lane will be opened: closes what is kept open beside lanes.</summary>
    Task CloseAsync() => Task.CompletedTask;

    /// <summary>The host that a next hop leads to first, as far as that is known without a question to anybody; else null.</summary>
    internal string? HostOf(NextHop hop) => hop is NextHop.SmartHost named ? named.Servers[0].Host : null;

    /// <summary>What is known of a host, or of what an entry of the shaping has a limit for; null where nothing is.</summary>
    internal HostLook? LookAt(string name) => null;

    /// <summary>Where the transport says what an operator should know, as the kind and the words of an event.</summary>
    Action<string, string>? Tell
    {
        set
        {
        }
    }
}

/// <summary>
/// Messages to one next hop, one after another, over a connection that is kept between them and made anew when it is lost. Used by
/// one caller at a time. Disposing ends the conversation politely where it can.
/// </summary>
public interface IDeliveryLane : IAsyncDisposable
{
    /// <summary>True while a connection is open.</summary>
    bool IsConnected { get; }

    /// <summary>Another destination waits for a connection to the host that this one leads to.</summary>
    bool IsWanted => false;

    /// <summary>Other destinations may use its connection: one that waits for work is left to them.</summary>
    bool IsShared => false;

    /// <summary>Called when one begins to wait; answers whether the lane ends for it now.</summary>
    Func<bool>? WhenWanted
    {
        set
        {
        }
    }

    /// <summary>
    /// Told of the host that a domain's mail goes to first, before any is connected to; answers what is to be waited for, null for nothing.
    /// </summary>
    internal Func<string, IHostTurn?>? Admits
    {
        set
        {
        }
    }

    /// <summary>
    /// Delivers one message. Every remote behaviour is an outcome; an exception is a mistake here or unreadable content.
    /// </summary>
    /// <param name="following">
    /// The message of the next call as far as is known: lets the lane send ahead. Another may come all the same, or none.
    /// </param>
    /// <param name="record">Told of what is decided before the lane asks another host about the rest.</param>
    ValueTask<DeliveryReport> DeliverAsync(
        OutgoingMessage message, OutgoingMessage? following, IOutcomeRecord record, CancellationToken ct);

    /// <summary>How many messages may be given to <see cref="DeliverAllAsync"/> now; 1: it is not to be called.</summary>
    int Room => 1;

    /// <summary>
    /// Delivers several messages that are all on their way before the first is answered. False where the first of them goes alone, by
    /// <see cref="DeliverAsync"/>: nothing was attempted.
    /// </summary>
    /// <param name="records">As with <see cref="DeliverAsync"/>, one for each.</param>
    /// <param name="answered">
    /// Told of each that was attempted, as soon as it is decided; must not wait. The others are as they were: the host has nothing of them.
    /// </param>
    ValueTask<bool> DeliverAllAsync(
        IReadOnlyList<OutgoingMessage> messages,
        IReadOnlyList<IOutcomeRecord> records,
        Action<int, DeliveryReport> answered,
        CancellationToken ct) => new(false);

    /// <summary>Connects as for a message, and brings none; false where that leads nowhere.</summary>
    ValueTask<bool> ProbeAsync(CancellationToken ct);
}

/// <summary>Where the outcomes of a message are made durable while its attempt still goes on.</summary>
public interface IOutcomeRecord
{
    /// <summary>
    /// Records who has the message, so that a crash in the rest of the attempt brings nobody a second copy. Never throws.
    /// </summary>
    /// <param name="outcomes">One for each recipient of the message; what is deferred is not recorded.</param>
    ValueTask RecordAsync(IReadOnlyList<Outcome> outcomes);
}

/// <summary>What one attempt came to.</summary>
/// <param name="Outcomes">One for each recipient of the message, in order.</param>
/// <param name="Reached">False when no host of the next hop could be spoken to: other messages would fare the same.</param>
public readonly record struct DeliveryReport(IReadOnlyList<Outcome> Outcomes, bool Reached)
{
    /// <summary>What takes no further connection now: nothing was attempted, and there are no outcomes.</summary>
    internal IHostTurn? Turn { get; init; }

    /// <summary>The host takes nothing for now, again and again: other messages would fare the same.</summary>
    internal bool Suspends { get; init; }
}
