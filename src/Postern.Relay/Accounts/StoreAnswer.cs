namespace Postern.Relay.Accounts;

/// <summary>What a store says about a user name.</summary>
public abstract record StoreAnswer
{
    private StoreAnswer()
    {
    }

    /// <summary>The store has this user, able to log in or not.</summary>
    public sealed record Known(StoredLogin Login) : StoreAnswer;

    /// <summary>
    /// The store has no such user. <paramref name="Decoy"/> carries the asked name and no credential; it is checked like a real one at the cost of the
    /// costliest (<see cref="IAccountStore.Costs"/>), so that time does not tell who exists.
    /// </summary>
    public sealed record Unknown(StoredLogin Decoy) : StoreAnswer;

    /// <summary>Nobody of this name.</summary>
    public static Unknown Nobody(string user) => new(new StoredLogin(user, "unknown user", []));

    /// <summary>The store cannot answer now; no later store may answer in its place.</summary>
    public sealed record Unavailable(string Reason) : StoreAnswer;
}
