using System.Globalization;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;

namespace Postern.Relay.Delivery.Places;

/// <summary>
/// Mail fails at once, with the operator's own words, as with Postfix's <c>error</c>: <c>error:550 5.1.1 No such user</c>, code and status
/// left out as you like. With a code or status of class 4 it waits instead, and fails when its time is over.
/// </summary>
/// <param name="Text">As the operator wrote it.</param>
internal sealed record ErrorPlace(string Text, int Code, EnhancedStatus Status, string Words) : IHopPlace
{
    private const string NoWords = "Mail to this address is not delivered";

    public string Name => $"error:{Text}";

    public string? Doubt => Code >= 500
        ? null
        : $"mail waits here until its time is over, and fails then; it fails at once with 550, as in error:550 {Words}";

    public static string? Read(string text, out IHopPlace? place)
    {
        place = null;
        text = text.Trim();
        var rest = text;
        int? code = null;
        if (Word(rest) is { Length: 3 } first && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            if (number is < 400 or > 599)
                return $"'{first}' is no code of a refusal: 500 to 599, or 400 to 499 for mail that is to wait";
            code = number;
            rest = rest[first.Length..].TrimStart();
        }

        EnhancedStatus? status = null;
        if (Word(rest) is { Length: > 0 } second && EnhancedStatus.Parse(second) is { } read)
        {
            if (read.Class is not (4 or 5) || (code is { } said && said / 100 != read.Class))
                return $"'{second}' is no status that goes with {code?.ToString(CultureInfo.InvariantCulture) ?? "a refusal"}";
            status = read;
            rest = rest[second.Length..].TrimStart();
        }

        code ??= status is { Class: 4 } ? 450 : 550;
        place = new ErrorPlace(
            text, code.Value, status ?? new EnhancedStatus(code.Value / 100, 0, 0), rest.Length == 0 ? NoWords : rest);
        return null;
    }

    public ValueTask<Outcome> DeliverAsync(OutgoingMessage message, Mailbox recipient, PlaceContext context, CancellationToken ct)
    {
        var reply = string.Create(CultureInfo.InvariantCulture, $"{Code} {Status} {Words}");
        return new(Code >= 500
            ? new Outcome.Failed(Remote: null, reply, Tls: null, Status.ToString()) { Cause = DeliveryCause.Refused, Code = Code }
            : new Outcome.Deferred(Remote: null, reply, Tls: null, Status.ToString())
            {
                After = AfterDeferral.NextAttempt,
                Cause = DeliveryCause.Refused,
                Code = Code,
            });
    }

    private static string Word(string text) => text.Split(' ', 2)[0];
}
