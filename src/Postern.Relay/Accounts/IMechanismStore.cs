using System.Collections.Immutable;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <summary>
/// A store that answers whole mechanisms itself, so that what a client says by them is carried there: whose users' secrets nobody here has
/// to know.
/// </summary>
public interface IMechanismStore
{
    /// <summary>
    /// Those that it answers, in upper case, by what it has said last; empty before it was reached. Asks nobody. PLAIN and LOGIN are not
    /// among them: by those a password is shown, which is checked store by store.
    /// </summary>
    ImmutableArray<string> Offered { get; }

    /// <summary>
    /// Those that the configuration names, which are answered there wherever the store is asked; default: all, where it alone is asked.
    /// </summary>
    ImmutableArray<string> Named { get; }

    /// <summary>Finds out in the background what it offers, where that is not known; to be called again and again.</summary>
    void Look();

    /// <summary>Finds out what it offers; null where it did, else why not.</summary>
    ValueTask<string?> LearnAsync(CancellationToken ct);

    /// <summary>Begins an exchange; asks nobody yet.</summary>
    IStoreExchange Begin(string mechanism, LoginClient client);
}

/// <summary>One exchange with a store that answers a mechanism itself. Disposed when it is over, however that came.</summary>
public interface IStoreExchange : IDisposable
{
    /// <summary>
    /// What is said to the client's next message: <see cref="LoginAnswer.Found{T}"/> of a <see cref="StoreStep"/>, or how it has ended
    /// without a login.
    /// </summary>
    /// <param name="response">Null for no initial response. Valid until the task completes.</param>
    ValueTask<LoginAnswer> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct);
}

/// <summary>How far an exchange with a store has come.</summary>
public abstract record StoreStep
{
    private StoreStep()
    {
    }

    /// <summary>As the answer of a store.</summary>
    internal LoginAnswer ToAnswer() => new LoginAnswer.Found<StoreStep>(string.Empty, this);

    /// <summary>It goes on; <paramref name="Data"/> is for the client.</summary>
    public sealed record Goes(ReadOnlyMemory<byte> Data) : StoreStep;

    /// <summary>It is <paramref name="User"/>, in canonical form, and may log in as far as the store is concerned.</summary>
    public sealed record Proven(string User) : StoreStep
    {
        /// <summary>Who has proven himself, where that is another one, as the store calls him; null for the user.</summary>
        public string? ProvenBy { get; init; }

        /// <summary>What the mechanism has to say with its success; null for nothing.</summary>
        public ReadOnlyMemory<byte>? Data { get; init; }
    }
}
