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

    /// <summary>No password can be right: the stored text is no hash that anybody could compute.</summary>
    public sealed record Unusable(string Reason) : HashAnswer;

    /// <summary>It may be right: what computes such hashes is missing on this machine.</summary>
    public sealed record Unavailable(string Reason) : HashAnswer;
}
