using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts.Stores;

/// <summary>One kind of account store.</summary>
/// <param name="Word">The whole entry, or the scheme of its URI.</param>
/// <param name="Example">How an entry is written.</param>
/// <param name="Forms">The forms that secrets can have there.</param>
/// <param name="CommonForms">The forms that every user there has, as far as can be said; it may look at files.</param>
/// <param name="WhyNot">What is wrong with an entry; null when it can be opened as far as can be seen from its text.</param>
/// <param name="Open">Makes the store. It does not fail: a store that cannot be read says so to every question.</param>
/// <param name="Warn">What an operator should be told of what is there; empty for nothing. It may look at files.</param>
public sealed record AccountStoreKind(
    string Word,
    string Example,
    StoredForms Forms,
    Func<AccountSource, StoredForms> CommonForms,
    Func<AccountSource, string?> WhyNot,
    Func<StoreContext, AccountSource, IAccountStore> Open,
    Func<AccountSource, IEnumerable<string>> Warn);
