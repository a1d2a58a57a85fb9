using System.Collections.Immutable;

namespace Postern.Relay.Accounts.Stores.Asking;

/// <summary>How a store answers now.</summary>
/// <param name="Store">As the configuration calls it.</param>
public sealed record StoreCondition(string Store)
{
    /// <summary>It has the answers itself: nothing below is counted, but <see cref="Failure"/> where it cannot answer now.</summary>
    public bool AnswersFromMemory { get; init; }

    /// <summary>The first of the questions in a row that were not answered; null while it answers, and as long as nobody asked.</summary>
    public DateTimeOffset? DownSince { get; init; }

    public DateTimeOffset? AnsweredAt { get; init; }

    /// <summary>What the last answer took.</summary>
    public double? Milliseconds { get; init; }

    public DateTimeOffset? FailedAt { get; init; }

    /// <summary>The last one, in the store's words.</summary>
    public string? Failure { get; init; }

    /// <summary>Who had to wait for an answer, since start, like all counts here.</summary>
    public long Asked { get; init; }

    /// <summary>Who got none.</summary>
    public long Unanswered { get; init; }

    /// <summary>Whose question had no turn.</summary>
    public long TurnedAway { get; init; }

    /// <summary>Answers that were there already.</summary>
    public long FromMemory { get; init; }

    /// <summary>Logins by what was said before, while it could not answer.</summary>
    public long StoodIn { get; init; }

    /// <summary>Questions that it has not answered yet.</summary>
    public int UnderWay { get; init; }

    /// <summary>Of them, at most.</summary>
    public int Most { get; init; }

    /// <summary>Questions that wait for a turn.</summary>
    public int Waiting { get; init; }

    /// <summary>What becomes of logins while it cannot answer; null where it answers from memory.</summary>
    public string? InOutage { get; init; }

    /// <summary>Whose logins it is asked for; null for all.</summary>
    public string? Logins { get; init; }

    /// <summary>Mechanisms that it can answer itself, by what it has said last.</summary>
    public ImmutableArray<string> Mechanisms { get; init; } = [];
}
