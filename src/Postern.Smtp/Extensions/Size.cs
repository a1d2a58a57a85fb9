using System.Globalization;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>SIZE (RFC 1870): the limit, and what the client says in advance.</summary>
internal static class Size
{
    public static readonly Extension Row = new(
        "SIZE", static offer => string.Create(CultureInfo.InvariantCulture, $"SIZE {offer.Limits.MessageOctets}"))
    {
        Mail = [new("SIZE", "octets", Read, static said => said.DeclaredSize?.ToString(CultureInfo.InvariantCulture))],

        // RFC 1870 §6.1.
        WhyNot = static passage => passage.MostOctets is { } most && passage.Length > most
            ? new Reply(552, new(5, 3, 4), $"Message of {passage.Length} octets, the next hop takes {most}") : null,
    };

    /// <summary>An estimate (§4): what is no number says nothing, and the content is counted in any case.</summary>
    private static Reply? Read(ISessionFacts? session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (value.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return null;

        // What no counter holds is as good as the largest number.
        var octets = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : long.MaxValue;
        if (session is not null && octets > session.Limits.MessageOctets)
            return StandardReply.SizeLimit(session.Limits.MessageOctets);
        parameters = parameters with { DeclaredSize = octets };
        return null;
    }
}
