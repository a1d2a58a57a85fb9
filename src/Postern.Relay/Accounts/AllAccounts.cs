using System.Net;
using Postern.Relay.Accounts.Stores;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts;

/// <summary>
/// The directory, and beside it the users of every store as accounts that it need not hold. An account of the same name in the directory
/// adds its rights to those that the store gives, and disables the user wherever it is kept.
/// </summary>
public sealed class AllAccounts(IDirectory directory, StoreChain stores) : IDirectory
{
    /// <exception cref="DirectoryUnavailableException">The directory, or a store that may know the user, cannot answer.</exception>
    public async ValueTask<Account?> FindAccountAsync(string name, CancellationToken ct)
    {
        var kept = await directory.FindAccountAsync(name, ct);
        if (kept is { Enabled: false })
            return kept;
        var found = await stores.FindAsync(name, ct);
        return found.Answer switch
        {
            LoginAnswer.Found<StoredLogin> { Stored: var login } => Join(await KeptAsync(name, kept, login, ct), found.Store!, login),
            LoginAnswer.NoMatch => kept,
            _ => throw new DirectoryUnavailableException(found.Answer.WhyOpen ?? "a store gave no answer"),
        };
    }

    /// <exception cref="DirectoryUnavailableException">The directory, or a store that may know the user, cannot answer.</exception>
    public async ValueTask<StoredCredential?> FindCredentialAsync(string name, string id, CancellationToken ct) =>
        (await stores.FindAsync(name, ct)).Answer switch
        {
            LoginAnswer.Found<StoredLogin> { Stored: var login } => login.Find(id),
            LoginAnswer.NoMatch => null,
            var other => throw new DirectoryUnavailableException(other.WhyOpen ?? "a store gave no answer"),
        };

    /// <summary>Whose of the directory: stores beside it are asked for a user, and know no address.</summary>
    public ValueTask<string?> FindOwnerAsync(Mailbox address, CancellationToken ct) => directory.FindOwnerAsync(address, ct);

    public ValueTask<bool> IsListedAsync(Domain domain, CancellationToken ct) => directory.IsListedAsync(domain, ct);

    public ValueTask<bool> AcceptsRecipientsAsync(Domain domain, CancellationToken ct) => directory.AcceptsRecipientsAsync(domain, ct);

    public ValueTask<IPNetwork?> FindNetworkAsync(IPAddress client, Domain domain, CancellationToken ct) =>
        directory.FindNetworkAsync(client, domain, ct);

    /// <summary>Of the directory: what is kept of the account, where the store says that it is another one than its login's name.</summary>
    private async ValueTask<Account?> KeptAsync(string name, Account? kept, StoredLogin login, CancellationToken ct) =>
        login.Account.Name == name ? kept : await directory.FindAccountAsync(login.Account.Name, ct);

    private static Account Join(Account? kept, IAccountStore store, StoredLogin login)
    {
        if (ReferenceEquals(kept, login.Account))
            return kept;
        var own = login.Account with { Enabled = login.Account.Enabled && !login.IsDisabled, Store = store.Name };
        return kept is null ? own : kept.With(own);
    }
}
