using System.Globalization;
using System.Text;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Reports;

/// <summary>
/// What the postmaster reads of a report that cannot be delivered (RFC 5321 §6.1 lets nobody report on it). Lines end in CRLF, US-ASCII
/// only.
/// </summary>
internal static class LostReportNotice
{
    /// <param name="before">How many there were since the last notice that nobody was told of.</param>
    public static byte[] Write(
        QueueId id, DateTimeOffset now, Domain hostname, Mailbox postmaster, Envelope report, Mailbox to, string why, int before)
    {
        var text = new StringBuilder();
        Line($"From: Mail Delivery System <MAILER-DAEMON@{hostname}>");
        Line($"To: <{postmaster}>");
        Line($"Subject: A report to {StatusReport.OneLine(to.Address)} cannot be delivered");
        Line($"Date: {StatusReport.Rfc5322(now)}");
        Line($"Message-ID: <{id}@{hostname}>");
        Line($"Auto-Submitted: auto-generated");
        Line($"MIME-Version: 1.0");
        Line($"Content-Type: text/plain; charset=us-ascii");
        Line($"");
        Line($"Nobody reads what this mail system has to tell a sender: the report itself was");
        Line($"refused, or could not be delivered in time. It is not tried again.");
        Line($"");
        Line($"Report to: <{StatusReport.OneLine(to.Address)}>");
        Line($"Said:      {StatusReport.OneLine(report.ReportOf?.Reason ?? "-")}");
        Line($"Refused:   {StatusReport.OneLine(why)}");
        if (before > 0)
            Line($"Before it: {before} more, of which no notice was sent");
        Line($"");
        Line($"The message it was about:    postern log mail --ref {report.ReportOf?.About}");
        Line($"The report:                  postern log mail --ref {report.Id}");
        Line($"");
        Line($"A sender whose address takes no mail is often a program with a wrong reverse-path.");
        Line($"This is the mail system at {hostname}.");
        return Encoding.ASCII.GetBytes(text.ToString());

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append("\r\n");
    }
}
