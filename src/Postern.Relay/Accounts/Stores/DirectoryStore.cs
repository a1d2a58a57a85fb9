using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores;

/// <summary>The built-in database as a store of logins.</summary>
internal sealed class DirectoryStore(SqliteDirectory directory, string realm) : IAccountStore
{
    /// <summary>What <c>credential add</c> makes unless it is told otherwise.</summary>
    internal const StoredForms Common = StoredForms.Password | StoredForms.ScramSha256;

    public static readonly AccountStoreKind Kind = new(
        "directory", "directory", StoredForms.All, static (context, source) => new DirectoryStore(context.Directory, source.Realm))
    {
        AnswersFromMemory = true,
        Read = static (section, source) => new Source(source)
        {
            KeepsWeakForms = section.Word(
                "weak_forms",
                [("replace", false), ("keep", true)],
                fallback: false,
                "`replace`",
                "What becomes of a stored password whose form is weak, such as `{SSHA}` or `$1$`, when its user logs in. `replace`: "
                    + "it is kept as SCRAM-SHA-256 from then on. `keep`: it stays, for another program that reads it."),
        },
        CommonForms = static source => source.Database is { } file && File.Exists(file)
            && SqliteDirectory.Look(file, DirectoryReader.CommonForms) is (null, var common) ? common : Common,
        WhyNot = static source => source.Uri.Contains(':', StringComparison.Ordinal)
            ? "the built-in database is written 'directory'"
            : null,
        Warn = static source => source.Database is { } file ? Warn(file) : [],
    };

    public string Name => Kind.Word;

    public StoredForms Forms => Kind.Forms;

    public StoredForms CommonForms => directory.CommonForms;

    public HashCosts Costs => directory.Costs;

    public string Realm => realm;

    public bool AnswersFromMemory => true;

    /// <summary>Weak stored forms of the directory are given up when their users log in.</summary>
    internal static bool ReplacesWeakForms(AccountSource source) =>
        AccountStores.Of(source) == Kind && source is not Source { KeepsWeakForms: true };

    public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct)
    {
        try
        {
            var asked = directory.FindLoginAsync(user, ct);
            return asked.IsCompletedSuccessfully ? asked : LaterAsync(asked);
        }
        catch (DirectoryUnavailableException e)
        {
            return new(new LoginAnswer.Unavailable(e.Message));
        }

        static async ValueTask<LoginAnswer> LaterAsync(ValueTask<LoginAnswer> asked)
        {
            try
            {
                return await asked;
            }
            catch (DirectoryUnavailableException e)
            {
                return new LoginAnswer.Unavailable(e.Message);
            }
        }
    }

    private static IEnumerable<string> Warn(string file)
    {
        var (problem, weak) = SqliteDirectory.Look(file, static sql => WeakForms.Describe(DirectoryReader.AllHashes(sql)));
        if (problem is not null)
            yield return problem;
        if (weak is not null)
            yield return $"{file}: {weak}; to see whose: postern account show NAME";
    }

    private sealed record Source : AccountSource
    {
        public Source(AccountSource source)
            : base(source)
        {
        }

        /// <summary>Another program reads them too.</summary>
        public bool KeepsWeakForms { get; init; }
    }
}
