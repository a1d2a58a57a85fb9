using Postern.Smtp.Client;
using Postern.Smtp.Replies;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// A server wants TLS or a login before it takes mail (RFC 3207 §4, RFC 4954 §6), and was given none that suits it. That is no verdict on a
/// message, and whoever configured the route can mend it: mail waits for that. By the code alone.
/// </summary>
internal static class UnmetTerms
{
    private const int Required = 530;
    private const int TooWeak = 534;
    private const int Invalid = 535;
    private const int NeedsEncryption = 538;

    /// <summary>What to configure, and what it counts as; null where the reply says something else.</summary>
    /// <param name="terms">On which the server was spoken to; null where nobody knows.</param>
    /// <param name="isSecured">The connection has TLS.</param>
    /// <param name="offered">What EHLO was answered with; null before that.</param>
    public static (string Words, DeliveryCause Cause)? Of(Reply reply, HopTerms? terms, bool isSecured, SmtpExtensions? offered)
    {
        if (terms is null || reply.Code is not (Required or TooWeak or Invalid or NeedsEncryption))
            return null;
        var mayBeTls = !isSecured && reply.Code is Required or NeedsEncryption && offered?.Has("STARTTLS") == true;
        // Nobody logs in at mail exchangers: one that wants it does not take the mail of the domain.
        if (terms.IsGuarded)
            return mayBeTls ? ($"the server wants TLS first, {WhyInClear(terms)}", DeliveryCause.NoTls) : null;
        return (mayBeTls, terms.Login) switch
        {
            (true, null) when reply.Code == Required =>
                ($"the server wants TLS or a login first: its route has no 'login', {WhyInClear(terms)}", DeliveryCause.NoTls),
            (true, _) => ($"the server wants TLS first, {WhyInClear(terms)}", DeliveryCause.NoTls),
            (_, null) => ("the server wants a login, and its route (delivery.routes) has no 'login'", DeliveryCause.LoginFailed),
            _ => ("the server took the login of its route, and wants another for this mail", DeliveryCause.LoginFailed),
        };
    }

    private static string WhyInClear(HopTerms terms) => terms switch
    {
        { Tls: not ClientTls.None } => "and TLS with it failed",
        { IsGuarded: true } => "and 'delivery.tls' says that it gets none",
        _ => "and its 'via' says ?tls=none",
    };
}
