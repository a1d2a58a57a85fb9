using System.Collections.Immutable;

namespace Postern.Relay.Admin;

/// <param name="Total">Every message that fits, also those that are not on this page.</param>
/// <param name="Items">In order of arrival.</param>
public sealed record QueuePage(int Total, ImmutableArray<QueueItem> Items);
