using Postern.Smtp.Client;

namespace Postern.Relay.Delivery;

/// <summary>
/// Messages to one next hop, one after another, over a connection that is kept between them and made anew when it is lost. Used by
/// one caller at a time. Disposing ends the conversation politely where it can.
/// </summary>
public interface IDeliveryLane : IAsyncDisposable
{
    /// <summary>True while a connection is open.</summary>
    bool IsConnected { get; }

    /// <summary>
    /// Delivers one message. Every remote behaviour is an outcome; an exception is a mistake here or unreadable content.
    /// </summary>
    /// <param name="following">The message of the next call when it is known already: lets the lane send ahead.</param>
    /// <param name="record">Told of what is decided before the lane asks another host about the rest.</param>
    ValueTask<DeliveryReport> DeliverAsync(OutgoingMessage message, OutgoingMessage? following, IOutcomeRecord record, CancellationToken ct);

    /// <summary>Connects as for a message, and brings none; false where that leads nowhere.</summary>
    ValueTask<bool> ProbeAsync(CancellationToken ct);
}
