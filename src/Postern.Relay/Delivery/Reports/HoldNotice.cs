using System.Globalization;
using System.Text;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Reports;

/// <summary>
/// What the postmaster reads of a message that this server holds, or cannot try, for errors of its own (RFC 5322). Lines end in CRLF,
/// US-ASCII only.
/// </summary>
internal static class HoldNotice
{
    private const int MostRecipients = 20;

    /// <param name="why">What the last attempt came to.</param>
    /// <param name="until">When it is tried a last time; null where it is not held, and is tried on.</param>
    /// <param name="held">How many the server holds, this one included.</param>
    public static byte[] Write(
        QueueId id,
        DateTimeOffset now,
        Domain hostname,
        Mailbox postmaster,
        Envelope original,
        string why,
        DateTimeOffset? until,
        int held)
    {
        var text = new StringBuilder();
        Line($"From: Mail Delivery System <MAILER-DAEMON@{hostname}>");
        Line($"To: <{postmaster}>");
        Line($"Subject: Message {original.Id} {(until is null ? "cannot be tried for" : "is held after")} errors of this server");
        Line($"Date: {StatusReport.Rfc5322(now)}");
        Line($"Message-ID: <{id}@{hostname}>");
        Line($"Auto-Submitted: auto-generated");
        Line($"MIME-Version: 1.0");
        Line($"Content-Type: text/plain; charset=us-ascii");
        Line($"");
        Line($"This is the mail system at {hostname}. It could not send a message, time after time,");
        var further = until is null ? ". It keeps trying." : ", and holds it now.";
        Line($"for an error of its own{further} Neither the next hop nor the sender is told.");
        Line($"");
        Line($"Message:   {original.Id}, of {StatusReport.Rfc5322(original.ArrivedAt)}");
        Line($"Sender:    <{StatusReport.OneLine(original.Sender.Address)}>");
        foreach (var recipient in original.Recipients.Take(MostRecipients))
            Line($"Recipient: <{StatusReport.OneLine(recipient.Address)}>");
        if (original.Recipients.Length > MostRecipients)
            Line($"           and {original.Recipients.Length - MostRecipients} more");
        Line($"Error:     {StatusReport.OneLine(why)}");
        Line($"Held now:  {held} messages for such errors (postern queue list --held)");
        Line($"");
        Line($"What was tried:              postern log mail --ref {original.Id}");
        Line($"The whole error:             postern log server");
        if (until is { } end)
        {
            Line($"When the cause is gone:      postern queue release {original.Id}");
            Line($"To keep it without an end:   postern queue hold {original.Id}");
            Line($"");
            Line($"If nobody does either, it is tried a last time on {StatusReport.Rfc5322(end)},");
            Line($"and returned to its sender if that fails.");
        }
        else
        {
            Line($"When the cause is gone:      nothing; it is tried about once a minute");
            Line($"If it cannot be mended:      postern queue remove {original.Id}");
        }

        return Encoding.ASCII.GetBytes(text.ToString());

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append("\r\n");
    }
}
