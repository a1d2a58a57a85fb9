using System.Collections.Frozen;
using System.Collections.Immutable;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores;

/// <summary>
/// <c>users: { scott: tiger }</c>: users that stand in the configuration itself, each with a password or a stored form of one.
/// </summary>
internal sealed class UsersStore : IAccountStore
{
    public static readonly AccountStoreKind Kind = new(
        "users", "users: { lisa: PASSWORD }", StoredForms.All, static (_, source) => new UsersStore(source))
    {
        AnswersFromMemory = true,
        Key = "users",
        Read = static (section, source) => new Source(source) { Users = [.. ReadUsers(section)] },
        CommonForms = static source => CommonFormsOf(LoginsOf(source)),
        Warn = static source => WeakForms.Describe(
            LoginsOf(source).SelectMany(static l => l.Credentials).Select(static c => c.Hash)) is { } weak ? [$"users: {weak}"] : [],
    };

    private readonly FrozenDictionary<string, StoredLogin> users;

    private UsersStore(AccountSource source)
    {
        users = LoginsOf(source).ToFrozenDictionary(static login => login.User, StringComparer.Ordinal);
        CommonForms = CommonFormsOf(users.Values);
        Costs = users.Values.Aggregate(HashCosts.None, static (most, login) => most.Most(login.Costs));
        Realm = source.Realm;
    }

    public string Name => Kind.Word;

    public StoredForms Forms => Kind.Forms;

    public StoredForms CommonForms { get; }

    public HashCosts Costs { get; }

    public string Realm { get; }

    public bool AnswersFromMemory => true;

    public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct) =>
        new(users.TryGetValue(user, out var login) ? login.ToAnswer() : StoredLogin.Nobody);

    /// <summary>Those that can be used; what is wrong with the others is reported where it stands.</summary>
    private static IEnumerable<(string Name, string Stored)> ReadUsers(IStoreSection section)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, secret) in section.Secrets(
            "users",
            "Users that stand here: a name, and its password as it is or as `postern passwd` stores it; "
                + "`file:` and `${VARIABLE}` as for every secret."))
        {
            if (FileStore.ReadLine($"x:{secret.Reveal()}") is { Problem: { } problem })
                section.Report("users", $"user '{name}': {problem}");
            else if (LoginNames.IsDisguisedAddress(name) || !LoginNames.TryCanonical(name, out var canonical))
                section.Report("users", $"'{name}' is not a name that an account can have");
            else if (!seen.Add(canonical))
                section.Report("users", $"user '{name}' stands here twice, in two spellings");
            else
                yield return (canonical, secret.Reveal());
        }
    }

    private static IEnumerable<StoredLogin> LoginsOf(AccountSource source) =>
        (source as Source)?.Users.Select(
            static user => new StoredLogin(
                user.Name, refusal: null, [new StoredCredential("users", FileStore.ReadLine($"x:{user.Stored}").Hash!, ExpiresAt: null)]))
                ?? [];

    private static StoredForms CommonFormsOf(IEnumerable<StoredLogin> logins) =>
        logins.Aggregate(StoredForms.All, static (common, login) => common & login.Credentials[0].Hash.Forms);

    /// <summary>Equal by what stands there; its text shows no password.</summary>
    private sealed record Source : AccountSource
    {
        public Source(AccountSource source)
            : base(source)
        {
        }

        public ImmutableArray<(string Name, string Stored)> Users { get; init; } = [];

        public bool Equals(Source? other) => base.Equals(other) && Users.SequenceEqual(other.Users);

        public override int GetHashCode() => HashCode.Combine(base.GetHashCode(), Users.Length);

        protected override bool PrintMembers(System.Text.StringBuilder builder) => base.PrintMembers(builder);
    }
}
