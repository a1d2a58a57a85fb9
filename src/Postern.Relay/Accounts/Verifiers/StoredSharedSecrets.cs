using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Verifiers;

/// <summary>Passwords themselves, for CRAM-MD5; the form of another program may answer without holding the password.</summary>
internal sealed class StoredSharedSecrets(LoginParts parts) : StoredSecrets(parts), ISharedSecrets
{
    public ValueTask<LoginAnswer> FindSecretAsync(string user, string? peer, CancellationToken ct) => LookUpAsync(
        user,
        peer,
        StoredForms.Shared,
        static (_, stored) => stored switch
        {
            SharedHash shared => new SharedSecret(shared.Secret) { OtherSpellings = shared.OtherSpellings },
            CramHash cram => new SharedSecret(default) { Hmac = cram.Answer },
            _ => null,
        },
        "CRAM-MD5 needs a shared secret that has not expired",
        ct);
}
