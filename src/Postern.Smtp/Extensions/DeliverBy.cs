using System.Globalization;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>DELIVERBY (RFC 2852): BY= gives the message a time to be delivered in, and says what becomes of it after that.</summary>
internal static class DeliverBy
{
    private const int MaxDigits = 9;

    public static readonly Extension Row = new("DELIVERBY", Announce)
    {
        Mail = [new("BY", "seconds;R|N[T]", Read, Write)],

        // RFC 2852 §4.1.5: the server would keep trying when nobody wants the message any more.
        WhyNot = static passage => passage.Envelope.Parameters.DeliverBy is { IsNotify: false } && !passage.Offers("DELIVERBY")
            ? new Reply(550, new(5, 3, 3), "BY with mode R: the next hop does not offer DELIVERBY") : null,
    };

    /// <summary>
    /// What the next hop is told of reports: one that does not know of the time shall tell of delays (RFC 2852 §4.1.4.2), unless no report
    /// is wanted at all.
    /// </summary>
    public static RecipientParameters Wishes(RecipientParameters said, MailParameters mail, Func<string, bool> isOffered) =>
        mail.DeliverBy is not { IsNotify: true } || isOffered("DELIVERBY") ? said
        : said.Notify switch
        {
            DsnNotify.Never => said,
            DsnNotify.Unspecified => said with { Notify = DsnNotify.Failure | DsnNotify.Delay },
            var asked => said with { Notify = asked | DsnNotify.Delay },
        };

    private static string? Announce(Offer offer) => (offer.Honours(
        StoreFeatures.DeliverBy), offer.Server.MinimumDeliverBy.TotalSeconds) switch
    {
        (false, _) => null,
        (true, < 1) => "DELIVERBY",
        (true, var least) => string.Create(CultureInfo.InvariantCulture, $"DELIVERBY {least:F0}"),
    };

    private static Reply? Read(ISessionFacts? session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        var semicolon = value.IndexOf((byte)';');
        if (semicolon < 0
            || !TryWithin(value[..semicolon], out var within)
            || !TryMode(value[(semicolon + 1)..], out var isNotify, out var isTrace))
            return StandardReply.BadParameters;
        if (!isNotify && within <= TimeSpan.Zero)
            return StandardReply.BadParameters;
        if (session is not null && !isNotify && within < session.Server.MinimumDeliverBy)
            return StandardReply.DeliverByTooSoon(session.Server.MinimumDeliverBy);
        parameters = parameters with { DeliverBy = new Session.DeliverBy(within, isNotify, isTrace) };
        return null;
    }

    private static string? Write(MailParameters parameters) => parameters.DeliverBy is not { } by ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{Math.Floor(by.Within.TotalSeconds):F0};{(by.IsNotify ? 'N' : 'R')}{(by.IsTrace ? "T" : null)}");

    /// <summary>Seconds: a sign, if any, and up to nine digits.</summary>
    private static bool TryWithin(ReadOnlySpan<byte> text, out TimeSpan within)
    {
        within = default;
        var isNegative = text.StartsWith("-"u8);
        var digits = isNegative || text.StartsWith("+"u8) ? text[1..] : text;
        if (digits.Length > MaxDigits || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return false;
        within = TimeSpan.FromSeconds(isNegative ? -seconds : seconds);
        return true;
    }

    private static bool TryMode(ReadOnlySpan<byte> text, out bool isNotify, out bool isTrace)
    {
        isNotify = text.StartsWith("N"u8) || text.StartsWith("n"u8);
        isTrace = text.Length == 2 && text[1] is (byte)'T' or (byte)'t';
        return (isNotify || text.StartsWith("R"u8) || text.StartsWith("r"u8)) && (text.Length == 1 || isTrace);
    }
}
