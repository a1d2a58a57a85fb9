using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration.Reading;
using Postern.Relay.Admin;
using Postern.Relay.Audit;

namespace Postern.Commands.Queue;

/// <summary>
/// The queue where a window is too narrow for a table: a few lines a message, as <c>mailq</c> has it, each of which fits. An id and a
/// domain stay whole as long as they can; <c>--json</c> has all of everything.
/// </summary>
internal static class QueueLines
{
    private const string Indent = "  ";
    private const string Between = " to ";
    private const string Left = "…";

    public static void Write(Terminal terminal, IReadOnlyList<QueueItem> items)
    {
        foreach (var item in items)
        {
            foreach (var line in LinesOf(item, terminal.Width))
                terminal.Line(line);
        }
    }

    /// <summary>What waits of a message: the first recipient, and how many beside it.</summary>
    public static string ToOf(QueueItem item) => Waiting(item) is [var first, .. var others]
        ? $"{first.Address}{More(others.Count)}"
        : "-";

    /// <summary>Why it is there: what it waits for, else what the last attempt ended with.</summary>
    public static string ReasonOf(QueueItem item) => item.WaitsFor is { } why
        ? $"in line: {why}"
        : Waiting(item).Select(static r => r.LastReply).FirstOrDefault(static r => r is not null) ?? "-";

    /// <summary>As much of an address as there is room for: its domain before its name.</summary>
    internal static string Cut(string address, int room)
    {
        if (address.Length <= room)
            return address;
        var domain = address[Math.Max(0, address.LastIndexOf('@'))..];
        return domain.Length + Left.Length < room
            ? $"{address.AsSpan(0, room - domain.Length - Left.Length)}{Left}{domain}"
            : $"{Left}{address.AsSpan(address.Length - Math.Max(1, room - Left.Length))}";
    }

    private static IEnumerable<string> LinesOf(QueueItem item, int width)
    {
        var size = item.Size.ToString(CultureInfo.InvariantCulture);
        yield return CutEnd(string.Join(Indent, item.Id, item.State, TimeText.Format(item.ArrivedAt), size), width);
        var (from, to, more) = (item.Sender.Length == 0 ? "<>" : PrintableText.Of(item.Sender), "-", string.Empty);
        if (Waiting(item) is [var first, .. var others])
            (to, more) = (PrintableText.Of(first.Address), More(others.Count));
        var room = Math.Max(2, width - Indent.Length - Between.Length - more.Length);
        var half = room / 2;
        var ofFrom = Math.Max(half, room - to.Length);
        from = Cut(from, ofFrom);
        yield return $"{Indent}{from}{Between}{Cut(to, room - from.Length)}{more}";
        if (TimesOf(item) is { } times)
            yield return CutEnd(Indent + times, width);
        if (ReasonOf(item) is not "-" and var reason)
            yield return CutEnd(Indent + PrintableText.Of(reason), width);
    }

    private static string? TimesOf(QueueItem item)
    {
        var tries = item.Attempts switch
        {
            0 => null,
            1 => "1 try",
            var many => string.Create(CultureInfo.InvariantCulture, $"{many} tries"),
        };
        var next = item.WaitsFor is null && item.NextAttempt is { } at ? $"next {TimeText.Format(at)}" : null;
        return tries is not null && next is not null ? $"{tries}, {next}" : tries ?? next;
    }

    private static List<QueueRecipient> Waiting(QueueItem item) => [.. item.Recipients.Where(static r => r.Status == "pending")];

    private static string More(int count) =>
        count == 0 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $" and {count} more");

    private static string CutEnd(string text, int width) => text.Length <= width ? text : $"{text.AsSpan(0, width - Left.Length)}{Left}";
}
