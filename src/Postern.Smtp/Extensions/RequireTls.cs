using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>REQUIRETLS (RFC 8689): the message travels over verified TLS or not at all. Announced under TLS only (§4.1).</summary>
internal static class RequireTls
{
    public static readonly Extension Row = new(
        "REQUIRETLS", static offer => offer.IsTls && offer.Honours(StoreFeatures.RequireTls) ? "REQUIRETLS" : null)
    {
        Mail = [new("REQUIRETLS", Value: null, Read, static said => said.RequiresTls ? string.Empty : null)],

        // RFC 8689 §4.2.1: never in clear, never to a server that may pass it on in clear.
        WhyNot = static passage => !passage.Envelope.Parameters.RequiresTls ? null
            : !passage.IsVerified ? new Reply(
                550, new(5, 7, 30), "REQUIRETLS: the connection to the next hop has no TLS with a verified certificate")
            : !passage.Offers("REQUIRETLS") ? new Reply(550, new(5, 7, 30), "REQUIRETLS: the next hop does not offer it")
            : null,

        // In clear it is known too, so that the refusal can say what is missing.
        Takes = static offer => offer.Honours(StoreFeatures.RequireTls),
    };

    private static Reply? Read(ISessionFacts? session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (session is { State.Tls: null })
            return StandardReply.RequireTlsNeedsTls;
        parameters = parameters with { RequiresTls = true };
        return null;
    }
}
