using System.Collections.Immutable;
using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts.Stores;

/// <summary>One kind of account store.</summary>
/// <param name="Word">The whole entry, or the scheme of its URI.</param>
/// <param name="Example">How an entry is written.</param>
/// <param name="Forms">
/// The forms that secrets can have there; <see cref="StoredForms.Password"/> for a store that checks passwords itself.
/// </param>
/// <param name="Open">
/// Makes the store. It does not fail and asks nobody yet: a store that cannot be reached says so to every question.
/// </param>
public sealed record AccountStoreKind(string Word, string Example, StoredForms Forms, Func<StoreContext, AccountSource, IAccountStore> Open)
{
    /// <summary>Answers from memory: it has none of the keys that say how a network is asked.</summary>
    public bool AnswersFromMemory { get; init; }

    /// <summary>How long one question may take where the entry does not say.</summary>
    public TimeSpan UsualTimeout { get; init; } = new StoreTerms().Timeout;

    /// <summary>The key that names the kind where an entry is a section without <c>uri</c>; null for a kind that has a URI.</summary>
    public string? Key { get; init; }

    /// <summary>An entry is more than its URI: it can be opened as it stands in the configuration only.</summary>
    public bool HasOwnKeys { get; init; }

    /// <summary>Kinds that have the same keys, and come after this one; they stand in the reference once.</summary>
    public ImmutableArray<string> SharesKeysWith { get; init; } = [];

    /// <summary>
    /// Reads the keys that only this kind has, into a record of its own that derives from <see cref="AccountSource"/>; without any it is
    /// what was read already.
    /// </summary>
    public Func<IStoreSection, AccountSource, AccountSource> Read { get; init; } = static (_, source) => source;

    /// <summary>The forms that every user there has, as far as can be said before it is open; it may look at files.</summary>
    public Func<AccountSource, StoredForms> CommonForms { get => field ?? (_ => Forms); init; }

    /// <summary>What is wrong with an entry; null when it can be opened as far as can be seen from its text.</summary>
    public Func<AccountSource, string?> WhyNot { get; init; } = static _ => null;

    /// <summary>What an operator should be told of what is there; empty for nothing. It may look at files.</summary>
    public Func<AccountSource, IEnumerable<string>> Warn { get; init; } = static _ => [];
}
