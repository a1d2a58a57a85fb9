namespace Postern.Relay.Accounts.Hashes;

/// <summary>What a stored hash says to a password.</summary>
public abstract record HashAnswer
{
    private HashAnswer()
    {
    }

    public static HashAnswer Of(bool match) => match ? Match.Instance : NoMatch.Instance;

    public sealed record Match : HashAnswer
    {
        public static Match Instance { get; } = new();
    }

    public sealed record NoMatch : HashAnswer
    {
        public static NoMatch Instance { get; } = new();
    }

    /// <summary>The hash cannot be computed here: unknown form, absurd cost, missing library. Neither right nor wrong.</summary>
    public sealed record Unavailable(string Reason) : HashAnswer;
}
