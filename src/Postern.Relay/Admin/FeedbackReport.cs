using System.Collections.Immutable;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Admin;

/// <summary>A complaint about a message, as receivers send it (Abuse Reporting Format, RFC 5965).</summary>
/// <param name="Type">Feedback-Type, such as <c>abuse</c>.</param>
/// <param name="Recipients">Original-Rcpt-To; many receivers leave it out.</param>
/// <param name="Messages">
/// Words of the returned message that may be queue ids of this server, as its Received field has one: what can be found under one proves
/// that the complaint is about a message from here, and tells who got it.
/// </param>
public sealed record FeedbackReport(string Type, ImmutableArray<string> Recipients, ImmutableArray<QueueId> Messages)
{
    /// <summary>Characters of a report that are looked at.</summary>
    public const int MostLength = 1024 * 1024;

    private const int MostMessages = 20;

    /// <summary>Null where it is no such report.</summary>
    public static FeedbackReport? Read(string text)
    {
        var (header, body) = Split(text.ReplaceLineEndings("\n"));
        if (ValueOf(header, "Content-Type") is not { } type
            || !type.Contains("feedback-report", StringComparison.OrdinalIgnoreCase)
            || BoundaryOf(type) is not { Length: > 0 } boundary)
            return null;
        var parts = body.Split($"--{boundary}").Skip(1).Select(static part => Split(part.TrimStart('\n'))).ToList();
        var report = parts.FirstOrDefault(static part =>
            ValueOf(part.Header, "Content-Type")?.StartsWith("message/feedback-report", StringComparison.OrdinalIgnoreCase) == true);
        if (report.Body is null || ValueOf(report.Body, "Feedback-Type") is not { } kind)
            return null;
        var original = string.Concat(parts.Where(static part => IsOriginal(part.Header)).Select(static part => part.Body));
        return new FeedbackReport(
            kind,
            [.. ValuesOf(report.Body, "Original-Rcpt-To").Select(static value => value.Trim('<', '>', ' '))
                .Where(static value => Mailbox.TryParse(value, out _))],
            [.. original.Split([' ', '\t', '\n', ';'], StringSplitOptions.RemoveEmptyEntries)
                .Where(static word => word.Length == QueueId.TextLength)
                .Select(static word => QueueId.TryParse(word, out var id) ? id : (QueueId?)null)
                .OfType<QueueId>().Distinct().Take(MostMessages)]);
    }

    private static bool IsOriginal(string header) => ValueOf(header, "Content-Type") is { } type
        && (type.StartsWith("message/rfc822", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("text/rfc822-headers", StringComparison.OrdinalIgnoreCase));

    private static (string Header, string Body) Split(string text)
    {
        var end = text.IndexOf("\n\n", StringComparison.Ordinal);
        return end < 0 ? (text, string.Empty) : (text[..(end + 1)], text[(end + 2)..]);
    }

    private static string? ValueOf(string fields, string name) => ValuesOf(fields, name).FirstOrDefault();

    private static IEnumerable<string> ValuesOf(string fields, string name) =>
        fields.Replace("\n ", " ", StringComparison.Ordinal).Replace("\n\t", " ", StringComparison.Ordinal).Split('\n')
            .Where(line => line.StartsWith($"{name}:", StringComparison.OrdinalIgnoreCase))
            .Select(line => line[(name.Length + 1)..].Trim());

    private static string? BoundaryOf(string type)
    {
        var at = type.IndexOf("boundary=", StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            return null;
        var value = type[(at + "boundary=".Length)..];
        return value.StartsWith('"') ? value[1..].Split('"')[0] : value.Split(';', ' ')[0];
    }
}
