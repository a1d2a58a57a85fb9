namespace Postern.Relay.Accounts.Verifiers;

/// <summary>What one store has said of a user, for operators.</summary>
/// <param name="Says">In words, without a secret.</param>
/// <param name="Took">How long it took; null where it was not asked.</param>
public sealed record StoreVisit(string Store, StoreWord Word, string Says, TimeSpan? Took)
{
    /// <summary>What it keeps of the user; null where it knows none.</summary>
    public StoredLogin? Login { get; init; }

    /// <summary>The answer was there already.</summary>
    public bool IsFromMemory { get; init; }

    /// <summary>It cannot answer, and the store behind it is asked all the same.</summary>
    public bool MayBePassedOver { get; init; }
}

/// <summary>What a store can say of a user.</summary>
public enum StoreWord
{
    /// <summary>A store before it answers, or it is for other logins.</summary>
    NotAsked,

    Knows,

    /// <summary>It knows the account, and another store is to log it in.</summary>
    GivesRights,

    KnowsNot,

    CannotAnswer,
}
