using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <content>Secrets that the MD5 mechanisms compute with.</content>
public sealed partial class AccountVerifiers : ISharedSecrets, IDigestSecrets
{
    /// <summary>Those of the stores, in their order.</summary>
    public IReadOnlyList<string> Realms { get; } = [.. stores.Where(static s => s.Forms.HasFlag(StoredForms.Digest)).Select(static s => s.Realm).Distinct(StringComparer.Ordinal)];

    /// <summary>The newest shared secret that has not expired; that of another program may answer without holding the password.</summary>
    public ValueTask<LoginAnswer> FindSecretAsync(string user, string? peer, CancellationToken ct) => LookUpAsync(
        user,
        peer,
        login => NewestOf(login, StoredForms.Shared),
        static hash => hash switch
        {
            SharedHash shared => new(shared.Secret) { OtherSpellings = shared.OtherSpellings },
            CramHash cram => new(default) { Hmac = cram.Answer },
            _ => null,
        },
        "CRAM-MD5 needs a shared secret that has not expired",
        ct);

    /// <summary>The newest digest of the realm that has not expired; a shared secret gives one for any.</summary>
    public ValueTask<LoginAnswer> FindDigestAsync(string user, string realm, string? peer, CancellationToken ct) => LookUpAsync(
        user,
        peer,
        login => NewestOf(login, StoredForms.Digest, hash => hash is not DigestHash { Realm: var kept } || kept == realm),
        hash => hash switch
        {
            DigestHash digest => new(digest.Secret),
            SharedHash shared => new(shared.DigestFor(user, realm)) { OtherSpellings = shared.OtherDigestsFor(user, realm) },
            _ => null,
        },
        $"DIGEST-MD5 needs one of the realm '{realm}', or a shared one",
        ct);

    private async ValueTask<LoginAnswer> LookUpAsync(string user, string? peer, Func<StoredLogin, StoredCredential?> find, Func<PasswordHash, SharedSecret?> read, string needed, CancellationToken ct)
    {
        if (!LoginNames.TryCanonical(user, out var canonical))
            return new LoginAnswer.NoMatch("the user name is not one that an account can have", UserExists: false);
        if (protection?.WhyNot(canonical, peer) is { } pause)
            return new LoginAnswer.Unavailable(pause);
        var (store, answer) = await FindAsync(canonical, ct);
        return answer switch
        {
            StoreAnswer.Known(var login) when find(login) is { } credential && read(credential.Hash) is { } secret =>
                new LoginAnswer.Found<SharedSecret>(login.User, secret, login.Refusal) { Authority = AuthorityOf(login, credential) },
            StoreAnswer.Known(var login) => new LoginAnswer.NoMatch(Lacks(login, needed), UserExists: true),
            StoreAnswer.Unknown => new LoginAnswer.NoMatch(UnknownUser, UserExists: false),
            StoreAnswer.Unavailable(var reason) => new LoginAnswer.Unavailable(Said(store, reason)),
            _ => new LoginAnswer.Unavailable("no account store is configured"),
        };
    }

    /// <summary>The newest credential with <paramref name="form"/> that has not expired; a challenge can name only one.</summary>
    private StoredCredential? NewestOf(StoredLogin login, StoredForms form, Func<PasswordHash, bool>? fits = null)
    {
        var now = clock.GetUtcNow();
        for (var i = login.Credentials.Length - 1; i >= 0; i--)
        {
            var (_, hash, expires) = login.Credentials[i];
            if (hash.Forms.HasFlag(form) && !(expires <= now) && (fits is null || fits(hash)))
                return login.Credentials[i];
        }

        return null;
    }

    /// <summary>Why an account cannot use a mechanism, for the audit trail.</summary>
    private static string Lacks(StoredLogin login, string needed)
    {
        var has = login.Credentials.Select(static c => c.Hash.Description).Distinct(StringComparer.Ordinal).ToList();
        return login.Refusal ?? $"the account has only {string.Join(" and ", has)}; {needed}";
    }
}
