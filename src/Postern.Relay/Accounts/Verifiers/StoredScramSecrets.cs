using System.Security.Cryptography;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Verifiers;

/// <summary>The stored half of SCRAM logins.</summary>
internal sealed class StoredScramSecrets(LoginParts parts) : StoredSecrets(parts), IScramSecrets
{
    /// <summary>Some user of some store may have a secret of this kind.</summary>
    public bool Serves(HashAlgorithmName algorithm) => Parts.Stores.Can(ScramHash.FormOf(algorithm));

    public ValueTask<LoginAnswer> FindAsync(string user, HashAlgorithmName algorithm, string? peer, CancellationToken ct) => LookUpAsync(
        user,
        peer,
        ScramHash.FormOf(algorithm),
        (login, stored) => stored switch
        {
            ScramHash hash => new ScramSecret(algorithm, hash.Iterations, hash.Salt, hash.StoredKey, hash.ServerKey),
            SharedHash shared => shared.Scram(login.User, algorithm, Parts.Decoys),
            _ => null,
        },
        $"{ScramHash.NameOf(algorithm)} needs a secret of that kind, or a shared one",
        ct);
}
