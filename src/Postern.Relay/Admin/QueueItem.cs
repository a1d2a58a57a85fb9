using System.Collections.Immutable;

namespace Postern.Relay.Admin;

/// <summary>One message in the queue as an operator sees it.</summary>
/// <param name="State"><c>held</c>, <c>no route</c> (until one is configured), <c>deferred</c> (tried, and to be tried again) or <c>waiting</c>.</param>
/// <param name="Sender">Empty for the null sender.</param>
/// <param name="Size">Octets of content.</param>
/// <param name="NextAttempt">Null while held or without a route.</param>
public sealed record QueueItem(
    string Id, DateTimeOffset ArrivedAt, string State, string Sender, long Size, string? Login, string? Client, string? Listener, int Attempts, DateTimeOffset? NextAttempt, ImmutableArray<QueueRecipient> Recipients);
