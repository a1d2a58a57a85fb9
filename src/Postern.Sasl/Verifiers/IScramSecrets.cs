using System.Security.Cryptography;

namespace Postern.Sasl.Verifiers;

/// <summary>Gives the stored half of a SCRAM login (RFC 5802 §3).</summary>
public interface IScramSecrets : IProofListener
{
    /// <summary>
    /// Looks up <paramref name="user"/>, SASLprepared but otherwise as the client sent it. A user that does not exist, or has no secret of this
    /// kind, is <see cref="LoginAnswer.NoMatch"/>: the mechanism then goes on with a made-up salt, so that the client learns nothing.
    /// </summary>
    /// <param name="algorithm">SHA1, SHA256 or SHA512.</param>
    ValueTask<LoginAnswer> FindAsync(string user, HashAlgorithmName algorithm, string? peer, CancellationToken ct);

    /// <summary>True when some user may have a secret of this kind: else the mechanism is not offered.</summary>
    bool Serves(HashAlgorithmName algorithm);
}
