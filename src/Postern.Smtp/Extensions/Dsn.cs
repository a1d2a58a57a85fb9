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
        Mail =
        [
            new("RET", "FULL|HDRS", ReadReturn, WriteReturn),
            new("ENVID", "xtext", ReadEnvelopeId, static said => said.EnvelopeId is { } id ? XText.Encode(id) : null),
        ],
        Rcpt =
        [
            new("NOTIFY", "NEVER|SUCCESS,FAILURE,DELAY", ReadNotify, WriteNotify),
            new("ORCPT", "type;xtext", ReadOriginalRecipient, WriteOriginalRecipient)
            {
                MostOctets = OriginalRecipient.MaxOctets,
            }, // RFC 3461 §4.2
        ],
    };

    /// <summary>
    /// How much of the message a report returns. Another word asks for nothing that we know, and what a report returns by itself is what it
    /// gets.
    /// </summary>
    private static Reply? ReadReturn(ISessionFacts? session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (Ascii.EqualsIgnoreCase(value, "FULL"u8))
            parameters = parameters with { Return = DsnReturn.Full };
        else if (Ascii.EqualsIgnoreCase(value, "HDRS"u8))
            parameters = parameters with { Return = DsnReturn.Headers };
        return null;
    }

    /// <summary>For the sender to know its report by. One that no next hop would take is not kept.</summary>
    private static Reply? ReadEnvelopeId(ISessionFacts? session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        Span<byte> decoded = stackalloc byte[MaxEnvelopeIdOctets];
        if (!XText.IsWellFormed(value))
            return StandardReply.BadParameters;
        if (value.Length <= MaxEnvelopeIdOctets && XText.TryDecode(value, decoded, out var length))
            parameters = parameters with { EnvelopeId = Encoding.ASCII.GetString(decoded[..length]) };
        return null;
    }

    /// <summary>NEVER alone, or any of the others once (§4.1).</summary>
    private static Reply? ReadNotify(ISessionFacts? session, ReadOnlySpan<byte> value, ref RecipientParameters parameters)
    {
        var notify = DsnNotify.Unspecified;
        foreach (var range in value.Split((byte)','))
        {
            var word = Word(value[range]);
            if (word == DsnNotify.Unspecified
                || notify.HasFlag(word)
                || (notify != DsnNotify.Unspecified && (notify | word).HasFlag(DsnNotify.Never)))
                return StandardReply.BadParameters;
            notify |= word;
        }

        parameters = parameters with { Notify = notify };
        return null;
    }

    private static string? WriteReturn(MailParameters parameters) => parameters.Return switch
    {
        DsnReturn.Full => "FULL",
        DsnReturn.Headers => "HDRS",
        _ => null,
    };

    private static string? WriteNotify(RecipientParameters parameters) => parameters.Notify switch
    {
        DsnNotify.Unspecified => null,
        DsnNotify.Success => "SUCCESS",
        DsnNotify.Failure => "FAILURE",
        DsnNotify.Delay => "DELAY",
        DsnNotify.Success | DsnNotify.Failure => "SUCCESS,FAILURE",
        DsnNotify.Success | DsnNotify.Delay => "SUCCESS,DELAY",
        DsnNotify.Failure | DsnNotify.Delay => "FAILURE,DELAY",
        DsnNotify.Success | DsnNotify.Failure | DsnNotify.Delay => "SUCCESS,FAILURE,DELAY",
        _ => "NEVER", // NEVER stands alone (RFC 3461 §4.1): with it, nothing else counts
    };

    /// <summary>An internationalized one in the form that any server with DSN takes (RFC 6533 §3).</summary>
    private static string? WriteOriginalRecipient(RecipientParameters parameters) => parameters.OriginalRecipient is not { } original ? null
        : $"{original.Type};{(original.IsUtf8 ? Utf8XText.Encode(original.Address) : XText.Encode(original.Address))}";

    private static DsnNotify Word(ReadOnlySpan<byte> text) =>
        Ascii.EqualsIgnoreCase(text, "NEVER"u8) ? DsnNotify.Never
        : Ascii.EqualsIgnoreCase(text, "SUCCESS"u8) ? DsnNotify.Success
        : Ascii.EqualsIgnoreCase(text, "FAILURE"u8) ? DsnNotify.Failure
        : Ascii.EqualsIgnoreCase(text, "DELAY"u8) ? DsnNotify.Delay
        : DsnNotify.Unspecified;

    /// <summary>
    /// For the sender to read in its report. What has no type, no address or more than 500 octets says nothing that could stand there.
    /// </summary>
    private static Reply? ReadOriginalRecipient(ISessionFacts? session, ReadOnlySpan<byte> value, ref RecipientParameters parameters)
    {
        var semicolon = value.IndexOf((byte)';');
        var type = semicolon > 0 && Ascii.IsValid(value[..semicolon]) ? Encoding.ASCII.GetString(value[..semicolon]) : string.Empty;
        if (type.Equals("utf-8", StringComparison.OrdinalIgnoreCase) && semicolon < value.Length - 1)
        {
            if (!Utf8XText.TryDecode(
                value[(semicolon + 1)..], session is null || session.State.Transaction?.Parameters.IsUtf8 == true, out var address))
                return StandardReply.BadParameters;
            if (session is null || value.Length <= OriginalRecipient.MaxOctets)
                parameters = parameters with { OriginalRecipient = new OriginalRecipient(type, address) };
            return null;
        }

        if (!XText.IsWellFormed(value[(semicolon + 1)..]))
            return StandardReply.BadParameters;
        Span<byte> decoded = stackalloc byte[OriginalRecipient.MaxOctets];
        if (value.Length <= OriginalRecipient.MaxOctets
            && OriginalRecipient.IsType(type)
            && XText.TryDecode(value[(semicolon + 1)..], decoded, out var length)
            && length > 0)
            parameters = parameters with { OriginalRecipient = new OriginalRecipient(type, Encoding.ASCII.GetString(decoded[..length])) };
        return null;
    }
}
