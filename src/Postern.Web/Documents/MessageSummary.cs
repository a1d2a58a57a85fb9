using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Admin;

namespace Postern.Web.Documents;

/// <summary>
/// One sentence that says where a message is: <c>Delivered to 2 of 3; bob@example.net deferred, next try in 14 min: 450 4.2.1 busy</c>.
/// </summary>
internal static class MessageSummary
{
    /// <summary>Recipients of one state that are named; of more, only the number is told.</summary>
    private const int MostNamed = 2;

    /// <param name="more">Recipients beside those that are known by name.</param>
    /// <param name="time">How a time is told.</param>
    public static string Of(ImmutableArray<RecipientFate> fates, int more, QueueItem? queued, Func<DateTimeOffset, string> time)
    {
        var total = fates.Length + more;
        var delivered = fates.Count(static f => f.State == "delivered");
        var parts = new List<string>();
        if (delivered > 0)
            parts.Add(
                delivered == total ? total == 1 ? $"Delivered to {fates[0].Address}" : $"Delivered to all {Text(total)}"
                    : $"Delivered to {Text(delivered)} of {Text(total)}");
        foreach (var group in fates.Where(static f => f.State != "delivered").GroupBy(static f => f.State))
        {
            var those = group.ToList();
            if (those.Count > MostNamed)
                parts.Add($"{Text(those.Count)} {Words(group.Key)}{Next(those[0], time)}{Reason(those[0], queued)}");
            else
                parts.AddRange(those.Select(fate => $"{fate.Address} {Words(fate.State)}{Next(fate, time)}{Reason(fate, queued)}"));
        }

        if (more > 0)
            parts.Add($"{Text(more)} more recipients are not named in the log");
        return parts.Count == 0 ? "Nothing is known of its recipients" : string.Join("; ", parts);
    }

    private static string Words(string state) => state switch
    {
        "waiting" => "is waiting for its first attempt",
        "held" => "is held",
        "held (errors here)" => "is held by the server: attempts failed here",
        "no route" => "waits: no route is configured",
        "suspended" => "waits: the destination is suspended",
        "expanded" => "stood for others, who have a message of their own",
        "removed" => "was removed by an operator",
        "unknown" => "is not in the queue, and the log does not say how it ended",
        _ => state,
    };

    private static string Next(RecipientFate fate, Func<DateTimeOffset, string> time) =>
        fate is { State: "deferred", NextAttempt: { } next } ? $", next try {time(next)}" : string.Empty;

    private static string Reason(RecipientFate fate, QueueItem? queued) =>
        fate.State == "held" && queued?.HeldReason is { } reason ? $": {reason}"
        : fate is { State: "deferred" or "failed", LastReply: { } reply } ? $": {reply}"
        : string.Empty;

    private static string Text(int count) => count.ToString(CultureInfo.InvariantCulture);
}
