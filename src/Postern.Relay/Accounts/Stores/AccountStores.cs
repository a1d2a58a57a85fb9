using System.Collections.Immutable;

namespace Postern.Relay.Accounts.Stores;

/// <summary>Every kind of account store, by its word in the configuration.</summary>
public static class AccountStores
{
    public static ImmutableSortedDictionary<string, Func<StoreContext, IAccountStore>> All { get; } =
        ImmutableSortedDictionary.CreateRange<string, Func<StoreContext, IAccountStore>>(StringComparer.Ordinal,
        [
            new(DirectoryStore.Word, static context => new DirectoryStore(context.Directory)),
        ]);
}
