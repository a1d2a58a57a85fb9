namespace Postern.Sasl.Verifiers;

/// <summary>
/// Hears how an exchange ended whose proof the mechanism checks itself: the store that gave the secret does not see it, and may count failures.
/// </summary>
public interface IProofListener
{
    /// <summary>Told once for each proof that a client offered, also one for a user that does not exist. Does nothing by default.</summary>
    /// <param name="peer">As in the lookup.</param>
    /// <param name="isProven">The client knows the secret of a user that may log in.</param>
    void OnProof(string? peer, bool isProven)
    {
    }
}
