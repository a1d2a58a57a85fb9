using System.Collections.Immutable;

namespace Postern.Web.Documents;

/// <summary>Messages and refusals that a search found, the newest first.</summary>
/// <param name="Next">Where to go on; null when there is nothing older.</param>
/// <param name="SearchedBackTo">How far back was looked before the time was over; null when that did not end the search.</param>
public sealed record MessageList(ImmutableArray<MessageRow> Items, string? Next, DateTimeOffset? SearchedBackTo);

/// <summary>One message; or one that was refused, or one recipient of it.</summary>
/// <param name="State">
/// <c>refused</c>, or one word for all of its recipients (<see cref="RecipientFate"/>); null where there was no time to look it up.
/// </param>
public sealed record MessageRow(DateTimeOffset At, string? State)
{
    /// <summary>The queue id; null for what was refused.</summary>
    public string? Id { get; init; }

    /// <summary>Of the decision that refused it; null for what was accepted, and for content that was refused.</summary>
    public string? Ref { get; init; }

    /// <summary>Empty for the null sender; null where it is not known.</summary>
    public string? Sender { get; init; }

    /// <summary>The first, or the one that it is about.</summary>
    public string? Recipient { get; init; }

    /// <summary>Recipients beside that one.</summary>
    public int MoreRecipients { get; init; }

    public string? Client { get; init; }

    public string? Login { get; init; }

    /// <summary>The rule that refused.</summary>
    public string? Rule { get; init; }

    /// <summary>What a next hop said last; of what was refused, what the client was told. It may come from the network.</summary>
    public string? LastReply { get; init; }
}
