using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Web.Documents;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>One message, as its page shows it.</summary>
/// <param name="Sentence">Where it is.</param>
public sealed record MessageView(string Id, string Sentence, State State)
{
    public const string Timeline = "timeline";
    public const string RecipientsTab = "recipients";
    public const string DecisionsTab = "decisions";
    public const string HeadersTab = "headers";

    public static ImmutableArray<string> TabWords { get; } = [Timeline, RecipientsTab, DecisionsTab, HeadersTab];

    public string Tab { get; init; } = Timeline;

    /// <summary>What it is and where it came from.</summary>
    public ImmutableArray<Fact> Facts { get; init; } = [];

    public ImmutableArray<TimelineRow> Rows { get; init; } = [];

    /// <summary>Rows that are not shown.</summary>
    public int MoreRows { get; init; }

    public ImmutableArray<RecipientFate> Recipients { get; init; } = [];

    /// <summary>Recipients whom the log does not name.</summary>
    public int MoreRecipients { get; init; }

    public ImmutableArray<DecisionView> Decisions { get; init; } = [];

    /// <summary>Null where nobody asked for them; whoever looks may not; or they are gone, as <see cref="HeadersWhyNot"/> says.</summary>
    public ImmutableArray<HeaderLine>? Headers { get; init; }

    public string? HeadersWhyNot { get; init; }

    /// <summary>Null where it is not in the queue.</summary>
    public QueueItem? Queue { get; init; }

    /// <summary>What may be done to it; none for who may not.</summary>
    public bool MayChange { get; init; }

    /// <summary>The second press, where one was asked for.</summary>
    public Confirmation? Ask { get; init; }
}
