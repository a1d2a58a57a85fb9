using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// Turns a failed login at a next hop into an outcome. Always deferred, 535 as well: what is wrong is this server's configuration or the account,
/// and no message is to bounce for it (Postfix: smtp_sasl_auth_soft_bounce).
/// </summary>
internal static class LoginOutcomes
{
    /// <summary>Null for a login that succeeded.</summary>
    public static Outcome.Deferred? Of(LoginAnswer answer, string remote, string? tls) => answer switch
    {
        LoginAnswer.Accepted => null,
        // Another address of the same host would say the same to 5xx, and count one more failure against the account.
        LoginAnswer.Refused(var mechanism, var reply) => new Outcome.Deferred(remote, $"login by {mechanism}: {reply}", tls) { After = reply.IsTransient ? AfterDeferral.NextHost : AfterDeferral.NextAttempt },
        LoginAnswer.Abandoned(var mechanism, var reason) => new Outcome.Deferred(remote, $"login by {mechanism}: {reason}", tls),
        LoginAnswer.Broken(var mechanism, _, var detail) => new Outcome.Deferred(remote, $"login by {mechanism}: {detail}", tls),
        LoginAnswer.Unsuitable(var reason) => new Outcome.Deferred(remote, $"login: {reason}", tls),
        _ => throw new InvalidOperationException($"Unknown answer {answer}"),
    };
}
