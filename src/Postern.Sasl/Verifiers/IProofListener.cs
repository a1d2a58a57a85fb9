namespace Postern.Sasl.Verifiers;

/// <summary>
/// Is asked before a proof is judged and hears how it came out, where the mechanism judges it itself: the store that gave the secret does
/// not see it, and may count failures.
/// </summary>
public interface IProofListener
{
    /// <summary>
    /// Asked when a proof has come, and before it is judged, also by exchanges that were begun long before. Whoever counts guesses counts
    /// this one now, so that many at once get no more than one after another; whoever slows guesses waits here. Lets everything pass by
    /// default.
    /// </summary>
    /// <param name="user">As in the lookup.</param>
    /// <param name="peer">As in the lookup.</param>
    ValueTask<LoginAnswer> BeginProofAsync(string user, string? peer, CancellationToken ct) => new(LoginAnswer.Judge.Always);

    /// <summary>Told once for each proof that was judged, also one for a user that does not exist. Does nothing by default.</summary>
    /// <param name="turn">What <see cref="BeginProofAsync"/> gave.</param>
    /// <param name="isProven">The client knows the secret of a user that may log in.</param>
    /// <param name="isUser">There is such a user; for audit trails, which mask the names of those that are none.</param>
    void OnProof(LoginAnswer.Judge turn, bool isProven, bool isUser)
    {
    }
}
