using System.Collections.Immutable;
using System.Globalization;
using Postern.Smtp.Replies;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// Whether an answer says that the host takes too much from here, or at all, so that it should get less for a while. By code and enhanced
/// status (RFC 3463), never by the text.
/// </summary>
internal static class Throttle
{
    private const int Leaving = 421;
    private const int Busy = 450;

    /// <param name="hasCarried">
    /// The connection carried a message before: 421 may then say that it has carried enough, or waited too long.
    /// </param>
    /// <param name="tooMuch">Codes of this host that say so, beside those that do everywhere.</param>
    public static bool Is(Outcome outcome, bool hasCarried, ImmutableArray<string> tooMuch) =>
        Is(outcome, hasCarried) || IsNamed(outcome, tooMuch);

    /// <summary>The operator, or what ships, says that this host means it.</summary>
    public static bool IsNamed(Outcome outcome, ImmutableArray<string> tooMuch) =>
        !tooMuch.IsEmpty
        && outcome is Outcome.Deferred { Cause: DeliveryCause.Refused, Code: { } code }
        && (tooMuch.Contains(code.ToString(CultureInfo.InvariantCulture)) || (outcome.Status is { } status && tooMuch.Contains(status)));

    public static bool Is(Outcome outcome, bool hasCarried) =>
        outcome is Outcome.Deferred { Cause: DeliveryCause.Refused, Code: { } code }
        && (EnhancedStatus.Parse(outcome.Status), code) switch
        {
            // Greylisting: it concerns this message, and waiting is all it asks for.
            ({ Class: 4, Subject: 7, Detail: 1 }, not Leaving) => false,
            ({ Class: 4, Subject: 7 }, _) => true,
            // The system is full or takes no messages; it is congested.
            ({ Class: 4, Subject: 3, Detail: 1 or 2 } or { Class: 4, Subject: 4, Detail: 5 }, _) => true,
            (_, Leaving) => !hasCarried,
            (null, Busy) => outcome.Phase is DeliveryPhase.Connect or DeliveryPhase.Mail,
            _ => false,
        };
}
