using Postern.Relay.Accounts.Hashes;

namespace Postern.Relay.Accounts.Stores;

/// <summary>The built-in database as a store of logins.</summary>
internal sealed class DirectoryStore(SqliteDirectory directory, string realm) : IAccountStore
{
    /// <summary>What <c>credential add</c> makes unless it is told otherwise.</summary>
    internal const StoredForms Common = StoredForms.Password | StoredForms.ScramSha256;

    public static readonly AccountStoreKind Kind = new(
        "directory",
        "directory",
        StoredForms.All,
        static source => source.Database is { } file && SqliteDirectory.Look(file, DirectoryReader.CommonForms) is (_, { } common) ? common : Common,
        static source => source.Uri.Contains(':', StringComparison.Ordinal) ? "the built-in database is written 'directory'" : null,
        static (context, source) => new DirectoryStore(context.Directory, source.Realm),
        static source => source.Database is { } file ? Warn(file) : []);

    public string Name => Kind.Word;

    public StoredForms Forms => Kind.Forms;

    public StoredForms CommonForms => directory.CommonForms;

    public HashCosts Costs => directory.Costs;

    public string Realm => realm;

    private static IEnumerable<string> Warn(string file)
    {
        var (problem, weak) = SqliteDirectory.Look(file, static sql => WeakForms.Describe(DirectoryReader.AllHashes(sql)));
        if (problem is not null)
            yield return problem;
        if (weak is not null)
            yield return $"{file}: {weak}; to see whose: postern account show NAME";
    }

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
