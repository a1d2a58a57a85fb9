using System.Text;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>BINARYMIME (RFC 3030 §3): content without a line structure. It needs CHUNKING, for only BDAT carries it.</summary>
internal static class BinaryMime
{
    public static readonly Extension Row = new(
        "BINARYMIME", static offer => offer.Honours(StoreFeatures.Binary) && !offer.IsWithout("CHUNKING") ? "BINARYMIME" : null)
    {
        Mail = [new("BODY", "BINARYMIME", Read, static said => said.Body == BodyType.BinaryMime ? "BINARYMIME" : null)],

        // Binary content has no lines, so DATA would change it (RFC 3030 §3).
        WhyNot = static passage => passage.Envelope.Parameters.Body == BodyType.BinaryMime
            && !(passage.Offers("CHUNKING") && passage.Offers("BINARYMIME"))
            ? new Reply(554, new(5, 6, 3), "Binary content, the next hop does not offer CHUNKING and BINARYMIME") : null,
    };

    private static Reply? Read(ISessionFacts? session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (!Ascii.EqualsIgnoreCase(value, "BINARYMIME"u8))
            return StandardReply.UnknownBody;
        parameters = parameters with { Body = BodyType.BinaryMime };
        return null;
    }
}
