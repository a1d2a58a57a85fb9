using System.Net;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Accounts;

/// <summary>
/// The directory, and beside it the users of other stores as accounts that it need not hold: such a user may send as its own name, where that
/// is an address. An account of the same name in the directory counts before the store, so that rights can be granted there and a user disabled.
/// </summary>
public sealed class StoreAccounts(IDirectory directory, IReadOnlyList<IAccountStore> stores) : IDirectory
{
    private readonly List<ILocalAccounts> locals = [.. stores.OfType<ILocalAccounts>()];

    public async ValueTask<Account?> FindAccountAsync(string name, CancellationToken ct)
    {
        if (await directory.FindAccountAsync(name, ct) is { } account)
            return account;
        foreach (var store in locals)
        {
            switch (store.Find(name))
            {
                case StoreAnswer.Known(var login):
                    return new Account(login.User, !login.IsDisabled, Mailbox.TryParse(login.User, out var own) ? [own.Canonical] : [], []) { Store = store.Name };
                case StoreAnswer.Unavailable(var reason):
                    throw new DirectoryUnavailableException(reason);
            }
        }

        return null;
    }

    public ValueTask<bool> IsListedAsync(Domain domain, CancellationToken ct) => directory.IsListedAsync(domain, ct);

    public ValueTask<bool> AcceptsRecipientsAsync(Domain domain, CancellationToken ct) => directory.AcceptsRecipientsAsync(domain, ct);

    public ValueTask<IPNetwork?> FindNetworkAsync(IPAddress client, Domain domain, CancellationToken ct) => directory.FindNetworkAsync(client, domain, ct);
}
