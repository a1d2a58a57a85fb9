namespace Postern.Smtp.Message;

/// <summary>
/// Stores made of functions, for messages that fit in memory: each is held whole while it arrives, up to
/// <see cref="Session.SessionLimits.MessageOctets"/>. A program that takes large messages implements <see cref="IMessageStore"/>, which streams.
/// </summary>
public static class MessageStore
{
    /// <summary>
    /// A store that keeps every message. When the task completes the client reads <c>250 2.0.0 Queued as</c> and <see cref="ReceivedMessage.Id"/>,
    /// so by then the message must be safe. An exception ends the session with 421: the client will send the message again.
    /// </summary>
    public static IMessageStore From(Func<ReceivedMessage, CancellationToken, Task> keep) => new FunctionStore(async (message, ct) =>
    {
        await keep(message, ct);
        return new StoreOutcome.Stored(message.Id);
    });

    /// <summary>A store that keeps a message under an id of its own, or refuses it with a reply.</summary>
    public static IMessageStore From(Func<ReceivedMessage, CancellationToken, Task<StoreOutcome>> keep) => new FunctionStore(keep);
}
