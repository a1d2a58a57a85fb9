using System.Security.Cryptography;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <content>SCRAM: the stored half of a login, for exchanges in which the client proves that it knows the password and never shows it.</content>
public sealed partial class AccountVerifiers : IScramSecrets
{
    /// <summary>The directory keeps SCRAM-SHA-256 secrets; of the other kinds only what was imported.</summary>
    public bool Serves(HashAlgorithmName algorithm) => algorithm == HashAlgorithmName.SHA256;

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
            StoreAnswer.Unknown(var decoy) => new ScramLookup.Absent(UnknownUser, UserExists: false, Newest(decoy, algorithm)?.Iterations),
            StoreAnswer.Unavailable(var reason) => new ScramLookup.Unavailable($"{store}: {reason}"),
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

    private ScramLookup Secret(StoredLogin login, HashAlgorithmName algorithm)
    {
        if (Newest(login, algorithm) is { } hash)
            return new ScramLookup.Found(login.User, new ScramSecret(algorithm, hash.Iterations, hash.Salt, hash.StoredKey, hash.ServerKey), login.Refusal);
        var forms = login.Credentials.Select(static c => c.Hash.Scheme).Distinct().ToList();
        return new ScramLookup.Absent(
            forms.Count == 0 ? "the account has no credential" : $"the account has only {string.Join(", ", forms)}; SCRAM with {algorithm.Name} needs a secret of that kind that has not expired",
            UserExists: true);
    }

    private ScramHash? Newest(StoredLogin login, HashAlgorithmName algorithm)
    {
        var now = clock.GetUtcNow();
        for (var i = login.Credentials.Length - 1; i >= 0; i--)
        {
            if (login.Credentials[i] is { Hash: ScramHash hash } credential && hash.Algorithm == algorithm && !(credential.ExpiresAt <= now))
                return hash;
        }

        return null;
    }
}
