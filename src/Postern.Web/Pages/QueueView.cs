using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>What waits, by destination and by message.</summary>
/// <param name="Query">Which of it.</param>
/// <param name="Statistics">Of what fits.</param>
/// <param name="Items">One page of what fits, the oldest first.</param>
public sealed record QueueView(QueueQuery Query, Part<QueueStatistics> Statistics, Part<QueuePage> Items)
{
    /// <summary>Why the queue takes nothing, or why nothing leaves it; null where it does.</summary>
    public Trouble? Blocked { get; init; }

    /// <summary>Why a destination gets no further connection now.</summary>
    public ImmutableDictionary<string, string> Waits { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>When a delivery last ended well; null where that is not known.</summary>
    public DateTimeOffset? LastDelivery { get; init; }

    public bool MayChange { get; init; }

    /// <summary>The second press, where one was asked for.</summary>
    public Confirmation? Ask { get; init; }
}
