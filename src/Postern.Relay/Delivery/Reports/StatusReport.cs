using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Reports;

/// <summary>
/// The text of a delivery status notification (RFC 3464, RFC 6522, RFC 6533): what happened in plain words, the same for programs, and
/// the original, or its header. Lines end in CRLF; nothing from outside can end one.
/// </summary>
/// <param name="reports">At least one, all of the same action.</param>
/// <param name="isFull">The original follows whole, else its header alone.</param>
/// <param name="returns8Bit">What follows of the original may hold octets above 127.</param>
internal sealed class StatusReport(
    QueueId id, Domain hostname, Envelope original, ImmutableArray<RecipientReport> reports, bool isFull, bool returns8Bit)
{
    private const int MaxTextLength = 500;

    private readonly StringBuilder text = new();
    private readonly string boundary = $"=_{id}";
    private readonly ReportWords words = ReportWords.Of(reports[0].Action);

    /// <summary>Addresses or header are internationalized, so that the report is in the forms of RFC 6533.</summary>
    public bool IsGlobal { get; } = original.Parameters.IsUtf8
        && (original.HasUtf8Header
            || !Ascii.IsValid(original.Sender.Address)
            || original.Recipients.Any(static r => !Ascii.IsValid(r.Address)));

    /// <summary>The report may hold octets above 127.</summary>
    public bool Is8Bit => returns8Bit || IsGlobal;

    /// <summary>Everything before the original.</summary>
    /// <param name="willRetryUntil">For a delay; else null.</param>
    public byte[] Head(DateTimeOffset now, DateTimeOffset? willRetryUntil)
    {
        Line($"From: Mail Delivery System <MAILER-DAEMON@{hostname}>");
        Line($"To: <{original.Sender.Address}>");
        Line($"Subject: {words.Subject}");
        Line($"Date: {Rfc5322(now)}");
        Line($"Message-ID: <{id}@{hostname}>");
        Line($"Auto-Submitted: auto-replied");
        Line($"MIME-Version: 1.0");
        Line($"Content-Type: multipart/report; report-type={(IsGlobal ? "global-delivery-status" : "delivery-status")};");
        Line($"\tboundary=\"{boundary}\"");
        if (Is8Bit)
            Line($"Content-Transfer-Encoding: 8bit");
        Line($"");

        Part(IsGlobal ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii", IsGlobal);
        WriteWords(willRetryUntil);
        Part(IsGlobal ? "message/global-delivery-status" : "message/delivery-status", IsGlobal);
        WriteStatus(now, willRetryUntil);
        Part((isFull, IsGlobal) switch
        {
            (true, true) => "message/global",
            (true, false) => "message/rfc822",
            (false, true) => "message/global-headers",
            _ => "text/rfc822-headers",
        }, returns8Bit);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Everything behind the original.</summary>
    public byte[] Tail() => Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n");

    private void WriteWords(DateTimeOffset? willRetryUntil)
    {
        Line($"Your message of {Rfc5322(original.ArrivedAt)} {words.What}");
        Line($"{(reports.Length == 1 ? "the recipient" : "the recipients")} below. {words.Then}");
        if (willRetryUntil is { } until)
            Line($"It will be tried until {Rfc5322(until)}.");
        foreach (var report in reports)
        {
            Line($"");
            Line($"<{report.Recipient.Address}>");
            if (WrittenTo(report) is { } written)
                Line($"    to which mail for <{written}> goes on");
            foreach (var line in Wrapped(report.Plainly))
                Line($"    {line}");
            var said = report.HasExpired ? "Tried for too long; the last attempt ended with:"
                : report.IsVerbatim ? words.Answer
                : words.Ours;
            Line($"    {said}");
            Line($"    {OneLine(report.Reply)}");
            if (report.Remote is not null)
                Line($"    (server: {OneLine(report.Remote)})");
        }

        Line($"");
        var number = original.Expanded?.Of ?? original.Id;
        Line($"{(isFull ? "Your message" : "The header of your message")} is attached. Its number here was {number}.");
        Line($"This is the mail system at {hostname}.");
        Line($"");
    }

    /// <summary>The address that the sender wrote, where the one that was tried is another; null where it is the same.</summary>
    private string? WrittenTo(RecipientReport report) =>
        original.Expanded is { Through: [var named] } ? Address(named.Address)
        : report.Parameters.OriginalRecipient is { } intended
            && (intended.IsUtf8 || intended.Type.Equals("rfc822", StringComparison.OrdinalIgnoreCase))
            && !intended.Address.Equals(report.Recipient.Address, StringComparison.OrdinalIgnoreCase)
            ? Address(intended.Address)
        : null;

    /// <summary>Sentences of this program, in lines that fit everywhere.</summary>
    private static IEnumerable<string> Wrapped(string? sentences)
    {
        const int Width = 70;
        var line = new StringBuilder();
        foreach (var word in sentences?.Split(' ') ?? [])
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > Width)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : null).Append(word);
        }

        if (line.Length > 0)
            yield return line.ToString();
    }

    private void WriteStatus(DateTimeOffset now, DateTimeOffset? willRetryUntil)
    {
        if (original.Parameters.EnvelopeId is { } envelopeId)
            Line($"Original-Envelope-Id: {OneLine(envelopeId)}");
        Line($"Reporting-MTA: dns; {hostname}");
        Line($"X-Postern-Queue-ID: {original.Id}");
        Line($"Arrival-Date: {Rfc5322(original.ArrivedAt)}");
        if (original.Deadline is { At: var deadline })
            Line($"Deliver-By-Date: {Rfc5322(deadline)}");
        if (original.Parameters.HoldFor is { TotalSeconds: var seconds })
            Line($"Future-Release-Request: for;{seconds:F0}");
        else if (original.HeldUntil is { } release)
            Line($"Future-Release-Request: until;{release.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}");
        foreach (var report in reports)
        {
            Line($"");
            if (report.Parameters.OriginalRecipient is { } intended)
                Line($"Original-Recipient: {intended.Type}; {Address(intended.Address)}");
            Line($"Final-Recipient: {(Ascii.IsValid(report.Recipient.Address) ? "rfc822" : "utf-8")}; {Address(report.Recipient.Address)}");
            Line($"Action: {words.Action}");
            Line($"Status: {report.Status}");
            if (report.Remote is not null)
                Line($"Remote-MTA: dns; {OneLine(MtaName(report.Remote))}");
            Line($"Diagnostic-Code: {(report.IsVerbatim ? "smtp" : "x-postern")}; {OneLine(report.Reply)}");
            Line($"Last-Attempt-Date: {Rfc5322(now)}");
            if (willRetryUntil is { } until)
                Line($"Will-Retry-Until: {Rfc5322(until)}");
        }

        Line($"");
    }

    private void Part(string type, bool holds8Bit)
    {
        Line($"--{boundary}");
        Line($"Content-Type: {type}");
        if (holds8Bit)
            Line($"Content-Transfer-Encoding: 8bit");
        Line($"");
    }

    private void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append("\r\n");

    /// <summary>
    /// An address, which cannot hold a line's end; where the report is not internationalized, in the all-ASCII form of RFC 6533 §3.
    /// </summary>
    private string Address(string address) => IsGlobal || Ascii.IsValid(address) ? address : Utf8XText.Encode(address);

    /// <summary>
    /// The name, or else the address in brackets, of <c>host[address]:port</c>: that is all a type dns can hold (RFC 3464 §2.1.2).
    /// </summary>
    private static string MtaName(string remote)
    {
        var (from, to) = (remote.IndexOf('[', StringComparison.Ordinal), remote.IndexOf(']', StringComparison.Ordinal));
        return from > 0 ? remote[..from] : to > 0 ? remote[..(to + 1)] : remote;
    }

    internal static string Rfc5322(DateTimeOffset time) =>
        time.ToUniversalTime().ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture);

    /// <summary>Text that may come from a peer or an exception: printable US-ASCII, one line, bounded.</summary>
    internal static string OneLine(string text) => string.Create(Math.Min(text.Length, MaxTextLength), text, static (chars, source) =>
    {
        for (var i = 0; i < chars.Length; i++)
            chars[i] = source[i] is >= ' ' and <= '~' ? source[i] : '?';
    });
}
