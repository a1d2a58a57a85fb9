using System.Buffers;
using System.Globalization;
using System.Text;
using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Extensions;

/// <summary>
/// FUTURERELEASE (RFC 4865): a submitted message is held until a time. For those who log in: nobody else has the server keep mail for a
/// week.
/// </summary>
internal static class FutureRelease
{
    private const int MaxDigits = 9;

    /// <summary>RFC 3339 §5.6; a leap second is no time that a clock here could meet.</summary>
    private static readonly string[] Formats =
    [
        "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", "yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz",
    ];

    public static readonly Extension Row = new("FUTURERELEASE", Announce)
    {
        Mail = [new("HOLDFOR", "seconds", ReadFor, static _ => null), new("HOLDUNTIL", "date-time", ReadUntil, WriteUntil)],
        IsDated = true,
    };

    private static string? Announce(Offer offer)
    {
        if (!offer.Honours(StoreFeatures.Hold) || (offer.Mechanisms.Count == 0 && !offer.IsLoggedIn))
            return null;
        var (most, until) = (offer.Server.MaxHold, offer.Server.Clock.GetUtcNow() + offer.Server.MaxHold);
        return string.Create(
            CultureInfo.InvariantCulture, $"FUTURERELEASE {most.TotalSeconds:F0} {until.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}");
    }

    private static Reply? ReadFor(ISessionFacts? session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        if (session is null
            || value.Length > MaxDigits
            || !int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds == 0)
            return StandardReply.BadParameters;
        var interval = TimeSpan.FromSeconds(seconds);
        if (Hold(session, session.Server.Clock.GetUtcNow() + interval, ref parameters) is { } objection)
            return objection;
        parameters = parameters with { HoldFor = interval };
        return null;
    }

    private static Reply? ReadUntil(ISessionFacts? session, ReadOnlySpan<byte> value, ref MailParameters parameters)
    {
        Span<char> text = stackalloc char[40];
        if (value.Length > text.Length || Ascii.ToUtf16(value, text, out var length) != OperationStatus.Done)
            return StandardReply.BadParameters;
        Ascii.ToUpperInPlace(text[..length], out _);
        return DateTimeOffset.TryParseExact(
            text[..length], Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var until)
            ? Hold(session, until.ToUniversalTime(), ref parameters)
            : StandardReply.BadParameters;
    }

    /// <summary>A message that would be held until it must have been delivered is refused (RFC 4865 §5.2.2).</summary>
    public static Reply? WhyNot(MailParameters parameters, TimeProvider clock) =>
        parameters is { HoldUntil: { } until, DeliverBy.Within: var within } && until - clock.GetUtcNow() > within
            ? StandardReply.HoldBeyondDeliverBy
            : null;

    /// <summary>HOLDFOR is counted from when it was said, and kept as the time that it led to.</summary>
    private static string? WriteUntil(MailParameters parameters) => parameters.HoldUntil is not { } until ? null
        : until.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    private static Reply? Hold(ISessionFacts? session, DateTimeOffset until, ref MailParameters parameters)
    {
        if (session is { State.IsLoggedIn: false })
            return StandardReply.AuthenticationRequired;
        if (parameters.HoldUntil is not null)
            return StandardReply.BadParameters;
        if (session is not null && until - session.Server.Clock.GetUtcNow() > session.Server.MaxHold)
            return StandardReply.HoldTooLong(session.Server.MaxHold);
        parameters = parameters with { HoldUntil = until };
        return null;
    }
}
