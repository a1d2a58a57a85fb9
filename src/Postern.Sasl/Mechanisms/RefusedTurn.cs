using Postern.Sasl.Verifiers;

namespace Postern.Sasl.Mechanisms;

/// <summary>How an exchange ends whose proof is not judged now.</summary>
internal static class RefusedTurn
{
    /// <summary>Fails closed: an answer that is none refuses too.</summary>
    public static SaslStep.Failure Of(ProofTurn? turn, string user) => turn switch
    {
        ProofTurn.TooMany(var reason) => new SaslStep.Failure(SaslError.TooMany, user, reason),
        ProofTurn.Unavailable(var reason) => new SaslStep.Failure(SaslError.TemporaryFailure, user, reason),
        _ => new SaslStep.Failure(SaslError.TemporaryFailure, user, "the store gave no answer"),
    };
}
