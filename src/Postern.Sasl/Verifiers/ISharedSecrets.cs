namespace Postern.Sasl.Verifiers;

/// <summary>Gives the password itself, for mechanisms that compute with it (CRAM-MD5). A store that can do this can lose every password at once.</summary>
public interface ISharedSecrets : IProofListener
{
    /// <summary>Looks up <paramref name="user"/>, SASLprepared but otherwise as the client sent it.</summary>
    ValueTask<LoginAnswer> FindSecretAsync(string user, string? peer, CancellationToken ct);
}
