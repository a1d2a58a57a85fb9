namespace Postern.Sasl.Verifiers;

/// <summary>Gives H(user:realm:password) for DIGEST-MD5 (RFC 2831 §2.1.2.1).</summary>
public interface IDigestSecrets : IProofListener
{
    /// <summary>The realms to offer, the first being the usual one; at least one.</summary>
    IReadOnlyList<string> Realms { get; }

    /// <summary>Looks up <paramref name="user"/> in <paramref name="realm"/>, which is one of <see cref="Realms"/>; the secret is 16 octets.</summary>
    ValueTask<LoginAnswer> FindDigestAsync(string user, string realm, string? peer, CancellationToken ct);
}
