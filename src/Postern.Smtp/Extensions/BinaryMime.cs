using System.Text;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>BINARYMIME (RFC 3030 §3): content without a line structure. It needs CHUNKING, for only BDAT carries it.</summary>
internal static class BinaryMime
{
    public static readonly Extension Row = new("BINARYMIME", static offer => offer.Honours(StoreFeatures.Binary) && !offer.IsWithout("CHUNKING") ? "BINARYMIME" : null)
    {
        Mail = [new("BODY", "BINARYMIME", Read)],
    };

    private static Reply? Read(SmtpSession session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (!Ascii.EqualsIgnoreCase(value, "BINARYMIME"u8))
            return StandardReply.UnknownBody;
        parameters = parameters with { Body = BodyType.BinaryMime };
        return null;
    }
}
