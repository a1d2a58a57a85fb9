using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Verifiers;

/// <summary>H(user:realm:password) for DIGEST-MD5; a shared secret gives one for any realm.</summary>
internal sealed class StoredDigestSecrets(LoginParts parts) : StoredSecrets(parts), IDigestSecrets
{
    public IReadOnlyList<string> Realms => Parts.Stores.Realms;

    public ValueTask<LoginAnswer> FindDigestAsync(string user, string realm, string? peer, CancellationToken ct) => LookUpAsync(
        user,
        peer,
        StoredForms.Digest,
        (_, stored) => stored switch
        {
            DigestHash digest => new SharedSecret(digest.Secret),
            SharedHash shared => new SharedSecret(shared.DigestFor(user, realm)) { OtherSpellings = shared.OtherDigestsFor(user, realm) },
            _ => null,
        },
        $"DIGEST-MD5 needs one of the realm '{realm}', or a shared one",
        ct,
        hash => hash is not DigestHash { Realm: var kept } || kept == realm);
}
