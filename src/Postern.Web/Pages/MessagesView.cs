using System.Collections.Immutable;
using Postern.Web.Documents;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>Messages and refusals that were looked for.</summary>
/// <param name="Query">What was asked.</param>
public sealed record MessagesView(MessagesQuery Query, Part<MessageList> Found)
{
    /// <summary>What the text of the search box was taken for; null where there was none.</summary>
    public SearchReading? Reading { get; init; }

    /// <summary>What else it could be.</summary>
    public ImmutableArray<SearchReading> OtherReadings { get; init; } = [];

    /// <summary>From when on there are events; null where that is not known.</summary>
    public DateTimeOffset? LogBegins { get; init; }
}
