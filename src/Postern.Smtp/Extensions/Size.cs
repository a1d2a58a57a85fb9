using System.Globalization;
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

    private static Reply? Read(SmtpSession session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (!TryOctets(value, out var octets))
            return StandardReply.BadParameters;
        if (octets > session.Limits.MessageOctets)
            return StandardReply.SizeLimit(session.Limits.MessageOctets);
        parameters = parameters with { DeclaredSize = octets };
        return null;
    }

    /// <summary>Up to twenty digits (RFC 1870 §4); what no counter holds is as good as the largest number.</summary>
    private static bool TryOctets(ReadOnlySpan<byte> value, out long octets)
    {
        octets = 0;
        return value.Length is > 0 and <= 20 && !value.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && (long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out octets) || (octets = long.MaxValue) > 0);
    }
}
