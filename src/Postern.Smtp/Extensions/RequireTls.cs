using Postern.Smtp.Dialogue;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>REQUIRETLS (RFC 8689): the message travels over verified TLS or not at all. Announced under TLS only (§4.1).</summary>
internal static class RequireTls
{
    public static readonly Extension Row = new("REQUIRETLS", static offer => offer.IsTls && offer.Honours(StoreFeatures.RequireTls) ? "REQUIRETLS" : null)
    {
        Mail = [new("REQUIRETLS", Value: null, Read)],

        // In clear it is known too, so that the refusal can say what is missing.
        Takes = static offer => offer.Honours(StoreFeatures.RequireTls),
    };

    private static Reply? Read(SmtpSession session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (session.State.Tls is null)
            return StandardReply.RequireTlsNeedsTls;
        parameters = parameters with { RequiresTls = true };
        return null;
    }
}
