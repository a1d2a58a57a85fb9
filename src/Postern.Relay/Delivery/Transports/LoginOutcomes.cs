using Postern.Relay.Delivery.Logins;
using Postern.Smtp.Client;
using Postern.Smtp.Replies;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// Turns a failed login at a next hop into an outcome. Always deferred, 535 as well: what is wrong is this server's configuration or the
/// account, and no message is to bounce for it (Postfix: smtp_sasl_auth_soft_bounce).
/// </summary>
internal static class LoginOutcomes
{
    /// <summary>No token was to be had for it. Nobody was connected to, and for any other host there would be none either.</summary>
    public static Outcome.Deferred WithoutToken(TokenAnswer answer) =>
        new(
            Remote: null,
            answer switch
            {
                TokenAnswer.Refused(_, var words) => $"login: no access token: {words}",
                TokenAnswer.Unavailable(var words) => $"login: no access token for now: {words}",
                _ => "login: no access token",
            },
            Tls: null)
        {
            After = AfterDeferral.NextAttempt,
            Cause = DeliveryCause.LoginFailed,
            Phase = DeliveryPhase.Login,
        };

    /// <summary>Null for a login that succeeded.</summary>
    public static Outcome.Deferred? Of(ClientLoginAnswer answer, string remote, string? tls)
    {
        return answer switch
        {
            ClientLoginAnswer.Accepted => null,
            // Another address of the same host would say the same to 5xx, and count one more failure against the account.
            ClientLoginAnswer.Refused(var mechanism, var reply) =>
                Failed($"login by {mechanism}: {reply}", reply) with
                {
                    After = reply.IsTransient ? AfterDeferral.NextHost : AfterDeferral.NextAttempt,
                },
            ClientLoginAnswer.Abandoned(var mechanism, var reason) => Failed($"login by {mechanism}: {reason}"),
            ClientLoginAnswer.Broken(var mechanism, _, var detail) => Failed($"login by {mechanism}: {detail}"),
            ClientLoginAnswer.Unsuitable(var reason) => Failed($"login: {reason}"),
            _ => throw new InvalidOperationException($"Unknown answer {answer}"),
        };

        Outcome.Deferred Failed(string words, Reply? reply = null) =>
            new(remote, words, tls, reply?.Status?.ToString())
            {
                Cause = DeliveryCause.LoginFailed,
                Phase = DeliveryPhase.Login,
                Code = reply?.Code,
            };
    }
}
