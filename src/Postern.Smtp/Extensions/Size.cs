using System.Globalization;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>SIZE (RFC 1870): the limit, and what the client says in advance.</summary>
internal static class Size
{
    public static readonly Extension Row = new("SIZE", static offer => string.Create(CultureInfo.InvariantCulture, $"SIZE {offer.Limits.MessageOctets}"))
    {
        Mail = [new("SIZE", "octets", Read)],
    };

    /// <summary>An estimate (§4): what is no number says nothing, and the content is counted in any case.</summary>
    private static Reply? Read(SmtpSession session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (value.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return null;

        // What no counter holds is as good as the largest number.
        var octets = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : long.MaxValue;
        if (octets > session.Limits.MessageOctets)
            return StandardReply.SizeLimit(session.Limits.MessageOctets);
        parameters = parameters with { DeclaredSize = octets };
        return null;
    }
}
