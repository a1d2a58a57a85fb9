using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>
/// The text of a delivery status notification (RFC 3464, RFC 6522): what happened in plain words, the same for programs, and the
/// header of the original. Lines end in CRLF; nothing from outside can end one.
/// </summary>
internal static class Bounce
{
    private const int MaxTextLength = 500;

    /// <param name="header">The original's header section, CRLF line ends, bounded by the caller.</param>
    public static byte[] Write(QueueId id, Domain hostname, Envelope original, ImmutableArray<RecipientFailure> failures, ReadOnlySpan<byte> header, DateTimeOffset now)
    {
        var is8Bit = !Ascii.IsValid(header);
        var boundary = $"=_{id}";
        var text = new StringBuilder();
        Line(text, $"From: Mail Delivery System <MAILER-DAEMON@{hostname}>");
        Line(text, $"To: <{original.Sender.Address}>");
        Line(text, $"Subject: Your message could not be delivered");
        Line(text, $"Date: {Rfc5322(now)}");
        Line(text, $"Message-ID: <{id}@{hostname}>");
        Line(text, $"Auto-Submitted: auto-replied");
        Line(text, $"MIME-Version: 1.0");
        Line(text, $"Content-Type: multipart/report; report-type=delivery-status;");
        Line(text, $"\tboundary=\"{boundary}\"");
        if (is8Bit)
            Line(text, $"Content-Transfer-Encoding: 8bit");
        Line(text, $"");

        Part(text, boundary, "text/plain; charset=us-ascii");
        WriteWords(text, hostname, original, failures);
        Part(text, boundary, "message/delivery-status");
        WriteStatus(text, hostname, original, failures, now);
        Part(text, boundary, "text/rfc822-headers", is8Bit);
        var start = Encoding.ASCII.GetBytes(text.ToString());
        return [.. start, .. header, .. Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n")];
    }

    private static void WriteWords(StringBuilder text, Domain hostname, Envelope original, ImmutableArray<RecipientFailure> failures)
    {
        Line(text, $"This is the mail system at {hostname}.");
        Line(text, $"");
        Line(text, $"Your message of {Rfc5322(original.ArrivedAt)} could not be delivered to");
        Line(text, $"{(failures.Length == 1 ? "the recipient" : "the recipients")} below. It will not be tried again.");
        foreach (var failure in failures)
        {
            Line(text, $"");
            Line(text, $"<{failure.Recipient.Address}>");
            Line(text, $"    {(failure.HasExpired ? "Tried for too long; the last attempt ended with:" : failure.Remote is null ? "Reason:" : "The receiving server refused it:")}");
            Line(text, $"    {OneLine(failure.Reply)}");
            if (failure.Remote is not null)
                Line(text, $"    (server: {OneLine(failure.Remote)})");
        }

        Line(text, $"");
        Line(text, $"The header of your message is attached. Its number here was {original.Id}.");
        Line(text, $"");
    }

    private static void WriteStatus(StringBuilder text, Domain hostname, Envelope original, ImmutableArray<RecipientFailure> failures, DateTimeOffset now)
    {
        Line(text, $"Reporting-MTA: dns; {hostname}");
        Line(text, $"X-Postern-Queue-ID: {original.Id}");
        Line(text, $"Arrival-Date: {Rfc5322(original.ArrivedAt)}");
        foreach (var failure in failures)
        {
            Line(text, $"");
            Line(text, $"Final-Recipient: rfc822; {failure.Recipient.Address}");
            Line(text, $"Action: failed");
            Line(text, $"Status: {failure.Status}");
            if (failure.Remote is not null)
                Line(text, $"Remote-MTA: dns; {OneLine(failure.Remote)}");
            Line(text, $"Diagnostic-Code: {(failure.Remote is null ? "x-postern" : "smtp")}; {OneLine(failure.Reply)}");
            Line(text, $"Last-Attempt-Date: {Rfc5322(now)}");
        }

        Line(text, $"");
    }

    private static void Part(StringBuilder text, string boundary, string type, bool is8Bit = false)
    {
        Line(text, $"--{boundary}");
        Line(text, $"Content-Type: {type}");
        if (is8Bit)
            Line(text, $"Content-Transfer-Encoding: 8bit");
        Line(text, $"");
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append("\r\n");

    private static string Rfc5322(DateTimeOffset time) => time.ToUniversalTime().ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture);

    /// <summary>Text that may come from a peer or an exception: printable US-ASCII, one line, bounded.</summary>
    private static string OneLine(string text) => string.Create(Math.Min(text.Length, MaxTextLength), text, static (chars, source) =>
    {
        for (var i = 0; i < chars.Length; i++)
            chars[i] = source[i] is >= ' ' and <= '~' ? source[i] : '?';
    });
}
