using System.ComponentModel;

namespace Postern.Sasl.Verifiers;

/// <summary>
/// Gives the password itself, for mechanisms that compute with it (CRAM-MD5). A store that can do this can lose every password at once.
/// </summary>
public interface ISharedSecrets : IProofListener
{
    /// <summary>Looks up <paramref name="user"/>, SASLprepared but otherwise as the client sent it.</summary>
    ValueTask<LoginAnswer> FindSecretAsync(string user, string? peer, CancellationToken ct);
}

/// <summary>
/// What a mechanism computes with: the password itself (CRAM-MD5), or the 16 octets H(user:realm:password) (DIGEST-MD5). Its text shows
/// nothing of it.
/// </summary>
public sealed class SharedSecret(ReadOnlyMemory<byte> octets)
{
    private const string NotEquals = "a secret is not a text and never equal to one: a mechanism computes with its octets";

    /// <summary>The secret; empty where there is only <see cref="Hmac"/>.</summary>
    public ReadOnlyMemory<byte> Octets => octets;

    /// <summary>The same secret of other spellings of the password; a client may have used any.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> OtherSpellings { get; init; } = [];

    /// <summary>HMAC-MD5 of a challenge, where the store has what that needs and not the secret; null where the secret is there.</summary>
    public Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>? Hmac { get; init; }

    /// <summary>It would be false whatever the text is, so it does not compile: a mechanism computes with the octets.</summary>
    [Obsolete(NotEquals, error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public bool Equals(string? text) => throw new NotSupportedException(NotEquals);

    /// <summary>No part of it.</summary>
    public override string ToString() => "***";
}
