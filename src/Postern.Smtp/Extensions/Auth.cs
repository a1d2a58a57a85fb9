using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>AUTH (RFC 4954): the mechanisms that can be used here and now, and the AUTH= parameter of MAIL (§5).</summary>
internal static class Auth
{
    public static readonly Extension Row = new(
        "AUTH",
        static offer => offer.Mechanisms.Count == 0 ? null : "AUTH " + string.Join(' ', offer.Mechanisms.Select(static m => m.Name)))
    {
        Mail = [new("AUTH", "<>|xtext-mailbox", Read, Write)],

        // A server that advertises AUTH must take the parameter, from anyone and at any time (§5).
        Takes = static offer => offer.Mechanisms.Count > 0 || (offer.OffersTls && offer.MechanismsUnderTls.Count > 0),
    };

    /// <summary>
    /// A hint and no more: what is no mailbox is read as <c>&lt;&gt;</c>, which §5 lets any server do that does not trust the client.
    /// </summary>
    private static Reply? Read(ISessionFacts? session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        Span<byte> decoded = stackalloc byte[Mailbox.MaxOctets];
        if (!XText.IsWellFormed(value))
            return StandardReply.BadParameters;
        parameters = parameters with
        {
            SubmittedBy = XText.TryDecode(value, decoded, out var length) && Mailbox.TryParse(decoded[..length], out var mailbox)
                ? new ReversePath(mailbox)
                : ReversePath.Null,
        };
        return null;
    }

    private static string? Write(MailParameters parameters) => parameters.SubmittedBy is not { } submitter ? null
        : submitter.IsNull || !XText.IsEncodable(submitter.Address) ? "<>"
        : XText.Encode(submitter.Address);
}
