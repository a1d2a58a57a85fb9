using System.Security.Cryptography;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <content>SCRAM: the stored half of a login, for exchanges in which the client proves that it knows the password and never shows it.</content>
public sealed partial class AccountVerifiers : IScramSecrets
{
    /// <summary>Some user of some store may have a secret of this kind.</summary>
    public bool Serves(HashAlgorithmName algorithm) => Can(ScramHash.FormOf(algorithm));

    /// <summary>
    /// A challenge names one salt, so one credential is asked for: the newest that has not expired. An account whose password is another
    /// credential's logs in by PLAIN or LOGIN.
    /// </summary>
    public async ValueTask<ScramLookup> FindAsync(string user, HashAlgorithmName algorithm, string? peer, CancellationToken ct)
    {
        if (failures?.IsPaused(peer) is true)
            return new ScramLookup.Unavailable(LoginFailures.Reason);
        if (!LoginNames.TryCanonical(user, out var canonical))
            return new ScramLookup.Absent("the user name is not one that an account can have", UserExists: false);
        var (store, answer) = await FindAsync(canonical, ct);
        return answer switch
        {
            StoreAnswer.Known(var login) => Secret(login, algorithm),
            StoreAnswer.Unknown(var decoy) => new ScramLookup.Absent(UnknownUser, UserExists: false, User: decoy.User),
            StoreAnswer.Unavailable(var reason) => new ScramLookup.Unavailable(Said(store, reason)),
            _ => new ScramLookup.Unavailable("no account store is configured"),
        };
    }

    /// <summary>As for passwords that were shown: failures count by address.</summary>
    public void OnProof(string? peer, bool isProven)
    {
        if (isProven)
            failures?.NoteSuccess(peer);
        else
            failures?.NoteFailure(peer);
    }

    private ScramLookup Secret(StoredLogin login, HashAlgorithmName algorithm) =>
        NewestOf(login, ScramHash.FormOf(algorithm)) is { } credential && SecretOf(login, credential.Hash, algorithm) is { } secret
            ? new ScramLookup.Found(login.User, secret, login.Refusal) { Authority = AuthorityOf(login, credential) }
            : new ScramLookup.Absent(Lacks(login, $"{ScramHash.NameOf(algorithm)} needs a secret of that kind, or a shared one"), UserExists: true, User: login.User);

    private ScramSecret? SecretOf(StoredLogin login, PasswordHash stored, HashAlgorithmName algorithm) => stored switch
    {
        ScramHash hash => new ScramSecret(algorithm, hash.Iterations, hash.Salt, hash.StoredKey, hash.ServerKey),
        SharedHash shared => shared.Scram(login.User, algorithm, Decoys),
        _ => null,
    };
}
