namespace Postern.Relay.Accounts;

/// <summary>A store that answers from memory, so that policies can ask it beside the directory.</summary>
public interface ILocalAccounts : IAccountStore
{
    /// <summary>The same answer as <see cref="IAccountStore.FindAsync"/>.</summary>
    StoreAnswer Find(string user);
}
