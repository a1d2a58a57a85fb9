using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>AUTH (RFC 4954): the mechanisms that can be used here and now, and the AUTH= parameter of MAIL (§5).</summary>
internal static class Auth
{
    public static readonly Extension Row = new("AUTH", static offer => offer.Mechanisms.Count == 0 ? null : "AUTH " + string.Join(' ', offer.Mechanisms.Select(static m => m.Name)))
    {
        Mail = [new("AUTH", "<>|xtext-mailbox", Read)],

        // A server that advertises AUTH must take the parameter, from anyone and at any time (§5).
        Takes = static offer => offer.Mechanisms.Count > 0 || (offer.OffersTls && offer.MechanismsUnderTls.Count > 0),
    };

    private static Reply? Read(SmtpSession session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (value.SequenceEqual("<>"u8))
        {
            parameters = parameters with { SubmittedBy = ReversePath.Null };
            return null;
        }

        Span<byte> decoded = stackalloc byte[Mailbox.MaxOctets];
        if (!XText.TryDecode(value, decoded, out var length) || !Mailbox.TryParse(decoded[..length], out var mailbox))
            return StandardReply.BadParameters;
        parameters = parameters with { SubmittedBy = new ReversePath(mailbox) };
        return null;
    }
}
