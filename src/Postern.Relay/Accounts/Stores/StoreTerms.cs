namespace Postern.Relay.Accounts.Stores;

/// <summary>How a store is asked that does not answer from memory. The keys are the same for every kind of it.</summary>
public sealed record StoreTerms
{
    /// <summary>How long one question may take: then it counts as not answered.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>What becomes of logins while it cannot answer.</summary>
    public OnOutage OnOutage { get; init; }

    /// <summary>
    /// How long an answer, and a password that was right, is remembered; zero for never. Users that log in are looked up again with every
    /// message: so this is also how long a user goes on that was taken away there.
    /// </summary>
    public TimeSpan Remember { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Answers, and right passwords, that are remembered at most.</summary>
    public int Capacity { get; init; } = 10_000;

    /// <summary>Questions under way at most. Beyond them the answer is 454 at once.</summary>
    public int MostQuestions { get; init; } = 50;
}
