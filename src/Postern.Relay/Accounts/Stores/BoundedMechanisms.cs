using System.Collections.Immutable;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores;

/// <summary>The mechanisms of a store that asks somebody else, each message of them within its bounds.</summary>
internal sealed class BoundedMechanisms(BoundedStore store, IMechanismStore inner) : IMechanismStore
{
    public ImmutableArray<string> Offered => inner.Offered;

    public ImmutableArray<string> Named => inner.Named;

    public void Look() => inner.Look();

    public ValueTask<string?> LearnAsync(CancellationToken ct) => inner.LearnAsync(ct);

    public IStoreExchange Begin(string mechanism, LoginClient client) => new BoundedExchange(store, inner.Begin(mechanism, client));

    private sealed class BoundedExchange(BoundedStore store, IStoreExchange inner) : IStoreExchange
    {
        public ValueTask<LoginAnswer> NextAsync(ReadOnlyMemory<byte>? response, CancellationToken ct) =>
            store.StepAsync(inner, response, ct);

        public void Dispose() => inner.Dispose();
    }
}
