namespace Postern.Relay.Admin;

/// <param name="Status"><c>pending</c>, <c>delivered</c> or <c>failed</c>.</param>
/// <param name="LastReply">What the last attempt ended with; it may come from the network.</param>
/// <param name="Notify">NOTIFY= as it was said, such as <c>success,delay</c>; null without.</param>
/// <param name="OriginalRecipient">ORCPT= as <c>type;address</c>; null without.</param>
public sealed record QueueRecipient(string Address, string Status, string? LastReply, string? Notify, string? OriginalRecipient);
