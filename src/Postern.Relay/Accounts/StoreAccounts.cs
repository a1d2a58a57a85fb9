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

    public Account? FindAccount(string name)
    {
        if (directory.FindAccount(name) is { } account)
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

    public bool IsListed(Domain domain) => directory.IsListed(domain);

    public bool AcceptsRecipients(Domain domain) => directory.AcceptsRecipients(domain);

    public IPNetwork? FindNetwork(IPAddress client, Domain domain) => directory.FindNetwork(client, domain);
}
