namespace Postern.Web.Documents;

/// <summary>What became of one recipient of a message so far.</summary>
/// <param name="State">
/// <c>delivered</c>, <c>failed</c>, <c>deferred</c>, <c>expanded</c>, <c>removed</c>, <c>unknown</c> (neither the log nor the queue
/// says), or the word of a message in the queue.
/// </param>
/// <param name="Attempts">So far, as far as the log and the queue know.</param>
public sealed record RecipientFate(string Address, string State, int Attempts)
{
    /// <summary>It may hold what a host said.</summary>
    public string? LastReply { get; init; }

    /// <summary>The host that was spoken to last; null where none was reached.</summary>
    public string? Remote { get; init; }

    /// <summary>The enhanced status code of the last reply; null without.</summary>
    public string? Status { get; init; }

    public string? Category { get; init; }

    /// <summary>When the last attempt ended.</summary>
    public DateTimeOffset? TriedAt { get; init; }

    public DateTimeOffset? NextAttempt { get; init; }
}
