namespace Postern.Relay.Admin;

/// <summary>What an operator can do to messages in the queue; <see cref="IQueueControl"/> says what each means.</summary>
public enum QueueAction
{
    Hold,
    Release,
    Retry,
    Remove,
}
