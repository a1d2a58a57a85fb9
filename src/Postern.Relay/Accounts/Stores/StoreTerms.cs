using System.Globalization;
using Postern.Sasl;

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

    /// <summary>
    /// How long it is remembered that nobody has a name; zero for never. Short: who was just added logs in at once all the same, and
    /// somebody whom only another store knows is looked for here again with every message after it.
    /// </summary>
    public TimeSpan RememberNobody { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How old what was said of a user may be that counts while the store cannot answer; zero for never. So long do passwords go on that
    /// were changed there, and users who were taken away, if it stays away.
    /// </summary>
    public TimeSpan StaleOnOutage { get; init; }

    /// <summary>Users, and right passwords, that are remembered at most; and so many names that nobody has.</summary>
    public int Capacity { get; init; } = 10_000;

    /// <summary>
    /// Questions under way at most. Those beyond them wait for a turn, for half of <see cref="Timeout"/>; then the answer is 454.
    /// </summary>
    public int MostQuestions { get; init; } = 50;

    /// <summary>
    /// A stored form like those that it holds: names that nobody has cost as much. Null: as much as the costliest user that was looked up.
    /// </summary>
    public Secret? Decoy { get; init; }

    /// <summary>What becomes of logins while it cannot answer, for people.</summary>
    public string InOutage => string.Create(
        CultureInfo.InvariantCulture,
        $"{(StaleOnOutage > TimeSpan.Zero
            ? $"whom it knew within {StaleOnOutage.TotalSeconds:0} s logs in by that (cache.stale_on_outage), "
            : null)}{(OnOutage == OnOutage.Next
                ? "the stores behind it are asked (on_outage: next), whom they do not log in is told 454"
                : "logins are told 454")}");
}

/// <summary>What is done with a login while a store cannot answer.</summary>
public enum OnOutage
{
    /// <summary>454: no store behind it is asked.</summary>
    Fail,

    /// <summary>
    /// The stores behind it are asked, and whom they know logs in there. Whoever fails is still told 454: the store might have known him.
    /// </summary>
    Next,
}
