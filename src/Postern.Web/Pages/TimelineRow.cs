using System.Collections.Immutable;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>One thing that happened to a message.</summary>
/// <param name="Gap">Since the one before; null for the first.</param>
/// <param name="Title">What happened.</param>
public sealed record TimelineRow(DateTimeOffset At, TimeSpan? Gap, string Title, State State)
{
    /// <summary>Whom it is about; null where it is about the message.</summary>
    public string? Whom { get; init; }

    public ImmutableArray<Fact> Facts { get; init; } = [];

    /// <summary>What somebody said, as he said it.</summary>
    public string? Said { get; init; }

    /// <summary>What that means, in our words.</summary>
    public string? Hint { get; init; }

    /// <summary>The event as it stands in the log; null where the page has no room for it.</summary>
    public string? Json { get; init; }
}
