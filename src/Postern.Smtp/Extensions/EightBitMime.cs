using System.Text;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>8BITMIME (RFC 6152): content with octets above 127.</summary>
internal static class EightBitMime
{
    public static readonly Extension Row = new("8BITMIME", static _ => "8BITMIME")
    {
        Mail = [new("BODY", "7BIT|8BITMIME", Read, static said => said.Body == BodyType.EightBitMime ? "8BITMIME" : null)],
        WhyNot = static passage => passage is { Needs8BitMime: true, Envelope.Parameters.Body: BodyType.EightBitMime }
            && !passage.Offers("8BITMIME")
            ? new Reply(554, new(5, 6, 3), "8-bit content, the next hop does not offer 8BITMIME") : null,
    };

    private static Reply? Read(ISessionFacts? session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (Ascii.EqualsIgnoreCase(value, "8BITMIME"u8))
            parameters = parameters with { Body = BodyType.EightBitMime };
        else if (!Ascii.EqualsIgnoreCase(value, "7BIT"u8))
            return StandardReply.UnknownBody;
        return null;
    }
}
