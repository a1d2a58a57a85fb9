namespace Postern.Relay.Accounts.Stores;

/// <summary>The built-in database as a store of logins.</summary>
internal sealed class DirectoryStore(SqliteDirectory directory) : IAccountStore
{
    public const string Word = "directory";

    public string Name => Word;

    public ValueTask<StoreAnswer> FindAsync(string user, CancellationToken ct)
    {
        try
        {
            return new(directory.FindLogin(user));
        }
        catch (DirectoryUnavailableException e)
        {
            return new(new StoreAnswer.Unavailable(e.Message));
        }
    }
}
