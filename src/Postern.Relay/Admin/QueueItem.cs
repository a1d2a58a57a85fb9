using System.Collections.Immutable;

namespace Postern.Relay.Admin;

/// <summary>One message in the queue as an operator sees it.</summary>
/// <param name="State"><c>held</c>, <c>held (errors here)</c> (by the server, after attempts that failed here), <c>no route</c> (until one is configured), <c>deferred</c> (tried, and to be tried again) or <c>waiting</c>.</param>
/// <param name="Sender">Empty for the null sender.</param>
/// <param name="Size">Octets of content.</param>
/// <param name="NextAttempt">Null while an operator holds it or without a route; of what the server holds, the last.</param>
/// <param name="EnvelopeId">ENVID=, by which the sender knows the message; null without.</param>
/// <param name="HoldUntil">The release that the sender asked for (HOLDFOR=, HOLDUNTIL=); null without.</param>
/// <param name="RequiresTls">REQUIRETLS.</param>
/// <param name="DeliverBy">The time that the sender gave it (BY=); null without.</param>
/// <param name="DeliverByMode"><c>return</c> or <c>notify</c>: what happens then; null without a time.</param>
public sealed record QueueItem(
    string Id, DateTimeOffset ArrivedAt, string State, string Sender, long Size, string? Login, string? Client, string? Listener, int Attempts, DateTimeOffset? NextAttempt,
    string? EnvelopeId, DateTimeOffset? HoldUntil, bool RequiresTls, DateTimeOffset? DeliverBy, string? DeliverByMode, ImmutableArray<QueueRecipient> Recipients);
