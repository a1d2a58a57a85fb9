using System.Text;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>DSN (RFC 3461): which reports the sender wants, about whom, and how it will know them again.</summary>
internal static class Dsn
{
    /// <summary>Encoded (§4.4).</summary>
    private const int MaxEnvelopeIdOctets = 100;

    public static readonly Extension Row = new("DSN", static offer => offer.Honours(StoreFeatures.DeliveryReports) ? "DSN" : null)
    {
        Mail = [new("RET", "FULL|HDRS", ReadReturn), new("ENVID", "xtext", ReadEnvelopeId)],
        Rcpt = [new("NOTIFY", "NEVER|SUCCESS,FAILURE,DELAY", ReadNotify), new("ORCPT", "type;xtext", ReadOriginalRecipient)],
    };

    private static Reply? ReadReturn(SmtpSession session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (Ascii.EqualsIgnoreCase(value, "FULL"u8))
            parameters = parameters with { Return = DsnReturn.Full };
        else if (Ascii.EqualsIgnoreCase(value, "HDRS"u8))
            parameters = parameters with { Return = DsnReturn.Headers };
        else
            return StandardReply.BadParameters;
        return null;
    }

    private static Reply? ReadEnvelopeId(SmtpSession session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        Span<byte> decoded = stackalloc byte[MaxEnvelopeIdOctets];
        if (value.Length > MaxEnvelopeIdOctets || !XText.TryDecode(value, decoded, out var length))
            return StandardReply.BadParameters;
        parameters = parameters with { EnvelopeId = Encoding.ASCII.GetString(decoded[..length]) };
        return null;
    }

    /// <summary>NEVER alone, or any of the others once (§4.1).</summary>
    private static Reply? ReadNotify(SmtpSession session, ReadOnlySpan<byte> value, ref RecipientParameters parameters)
    {
        var notify = DsnNotify.Unspecified;
        foreach (var range in value.Split((byte)','))
        {
            var word = Word(value[range]);
            if (word == DsnNotify.Unspecified || notify.HasFlag(word) || (notify != DsnNotify.Unspecified && (notify | word).HasFlag(DsnNotify.Never)))
                return StandardReply.BadParameters;
            notify |= word;
        }

        parameters = parameters with { Notify = notify };
        return null;
    }

    private static DsnNotify Word(ReadOnlySpan<byte> text) =>
        Ascii.EqualsIgnoreCase(text, "NEVER"u8) ? DsnNotify.Never
        : Ascii.EqualsIgnoreCase(text, "SUCCESS"u8) ? DsnNotify.Success
        : Ascii.EqualsIgnoreCase(text, "FAILURE"u8) ? DsnNotify.Failure
        : Ascii.EqualsIgnoreCase(text, "DELAY"u8) ? DsnNotify.Delay
        : DsnNotify.Unspecified;

    private static Reply? ReadOriginalRecipient(SmtpSession session, ReadOnlySpan<byte> value, ref RecipientParameters parameters)
    {
        var semicolon = value.IndexOf((byte)';');
        if (value.Length > OriginalRecipient.MaxOctets || semicolon <= 0 || semicolon == value.Length - 1 || !Ascii.IsValid(value[..semicolon]))
            return StandardReply.BadParameters;
        var type = Encoding.ASCII.GetString(value[..semicolon]);
        var isUtf8 = session.State.Transaction?.Parameters.IsUtf8 == true;
        if (!OriginalRecipient.IsType(type) || !TryAddress(type, value[(semicolon + 1)..], isUtf8, out var address))
            return StandardReply.BadParameters;
        parameters = parameters with { OriginalRecipient = new OriginalRecipient(type, address) };
        return null;
    }

    private static bool TryAddress(string type, ReadOnlySpan<byte> text, bool isUtf8, out string address)
    {
        address = string.Empty;
        if (type.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            return Utf8XText.TryDecode(text, isUtf8, out address!);
        Span<byte> decoded = stackalloc byte[OriginalRecipient.MaxOctets];
        if (!XText.TryDecode(text, decoded, out var length))
            return false;
        address = Encoding.ASCII.GetString(decoded[..length]);
        return true;
    }
}
