namespace Postern.Relay.Admin;

/// <param name="Status"><c>pending</c>, <c>delivered</c> or <c>failed</c>.</param>
/// <param name="LastReply">What the last attempt ended with; it may come from the network.</param>
public sealed record QueueRecipient(string Address, string Status, string? LastReply);
