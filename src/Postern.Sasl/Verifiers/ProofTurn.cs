namespace Postern.Sasl.Verifiers;

/// <summary>Whether a proof that has come may be judged now.</summary>
public abstract record ProofTurn
{
    private ProofTurn()
    {
    }

    /// <summary>It is judged. <paramref name="State"/> is the listener's own.</summary>
    public sealed record Judge(object? State) : ProofTurn
    {
        /// <summary>For listeners that keep nothing.</summary>
        public static Judge Always { get; } = new((object?)null);

        /// <summary>Nothing of what the listener keeps.</summary>
        public override string ToString() => nameof(Judge);
    }

    /// <summary>Not judged now: the client may try again later. <paramref name="Reason"/> is for the audit trail only.</summary>
    public sealed record Unavailable(string Reason) : ProofTurn;

    /// <summary>Not judged, for too many wrong secrets came from there; the session ends. <paramref name="Reason"/> is for the audit trail only.</summary>
    public sealed record TooMany(string Reason) : ProofTurn;
}
