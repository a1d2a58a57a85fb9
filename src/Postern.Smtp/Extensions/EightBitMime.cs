using System.Text;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>8BITMIME (RFC 6152): content with octets above 127.</summary>
internal static class EightBitMime
{
    public static readonly Extension Row = new("8BITMIME", static _ => "8BITMIME")
    {
        Mail = [new("BODY", "7BIT|8BITMIME", Read)],
    };

    private static Reply? Read(SmtpSession session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (Ascii.EqualsIgnoreCase(value, "8BITMIME"u8))
            parameters = parameters with { Body = BodyType.EightBitMime };
        else if (!Ascii.EqualsIgnoreCase(value, "7BIT"u8))
            return StandardReply.UnknownBody;
        return null;
    }
}
