using System.Text;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>SMTPUTF8 (RFC 6531): UTF-8 in addresses and header fields. It needs 8BITMIME (§3.1).</summary>
internal static class SmtpUtf8
{
    public static readonly Extension Row = new(
        "SMTPUTF8", static offer => offer.Honours(StoreFeatures.Utf8) && !offer.IsWithout("8BITMIME") ? "SMTPUTF8" : null)
    {
        Mail = [new("SMTPUTF8", Value: null, Read, static said => said.IsUtf8 ? string.Empty : null)],

        // RFC 6531 §3.2.
        WhyNot = static passage => !passage.Offers("SMTPUTF8") && (passage.HasUtf8Header || passage.Envelope.HasUtf8Address)
            ? new Reply(550, new(5, 6, 7), "Internationalized address or header, the next hop does not offer SMTPUTF8") : null,
    };

    /// <summary>The objection to an address beyond US-ASCII in a transaction that did not begin with SMTPUTF8 (§3.5), or null.</summary>
    public static Reply? WhyNot(ReadOnlySpan<byte> address, bool isUtf8) =>
        isUtf8 || Ascii.IsValid(address) ? null : StandardReply.NonAsciiAddress;

    private static Reply? Read(ISessionFacts? session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        parameters = parameters with { IsUtf8 = true };
        return null;
    }
}
