using System.Globalization;
using System.Text;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery.Reports;

/// <summary>
/// Many reports to one address in one message: what happened in plain words, a line for each, then the reports as they are (a
/// multipart/digest, RFC 2046 §5.1.5), so that programs read each as if it had come by itself. Lines end in CRLF.
/// </summary>
internal sealed class ReportBundle(QueueId id, DateTimeOffset now, Domain hostname, IReadOnlyList<SpoolEntry> reports)
{
    /// <summary>As many as one message holds.</summary>
    public const int Most = 100;

    private readonly string outer = $"=_m{id}";
    private readonly string inner = $"=_d{id}";

    private Mailbox To => reports[0].Envelope.Recipients[0];

    private bool Is8Bit => reports.Any(static one => one.Envelope.Is8Bit);

    private bool IsGlobal => reports[0].Envelope.Parameters.IsUtf8;

    /// <summary>What reports must have in common to be sent together: nothing is spread by a bundle that its report keeps close.</summary>
    public static (string To, bool RequiresTls, bool IsUtf8) KeyOf(Envelope report) =>
        (report.Recipients[0].Canonical, report.Parameters.RequiresTls, report.Parameters.IsUtf8);

    public Envelope Envelope => new()
    {
        Id = id,
        ArrivedAt = now,
        Said = new SmtpEnvelope(ReversePath.Null, [To])
        {
            Parameters = new MailParameters
            {
                Body = Is8Bit ? BodyType.EightBitMime : BodyType.SevenBit,
                IsUtf8 = IsGlobal,
                RequiresTls = reports[0].Envelope.Parameters.RequiresTls,
            }.Shared(),
            RecipientParameters = [new RecipientParameters { Notify = DsnNotify.Never }],
        },
        HasUtf8Header = reports[0].Envelope.HasUtf8Header,
        ReportOf = new ReportOrigin(reports[0].Envelope.Id, $"{reports.Count} reports in one message"),
    };

    /// <summary>Writes it all into a draft, report by report.</summary>
    /// <param name="part">Writes the content of a report; false when it is gone.</param>
    public async ValueTask<bool> WriteAsync(ISpoolDraft draft, Func<QueueId, ISpoolDraft, ValueTask<bool>> part, CancellationToken ct)
    {
        await draft.AppendAsync(Head(), ct).ConfigureAwait(false);
        foreach (var report in reports)
        {
            var type = report.Envelope.Parameters.IsUtf8 ? "Content-Type: message/global\r\n" : null;
            var encoding = report.Envelope.Is8Bit ? "Content-Transfer-Encoding: 8bit\r\n" : null;
            await draft.AppendAsync(Octets($"--{inner}\r\n{type}{encoding}\r\n"), ct).ConfigureAwait(false);
            if (!await part(report.Envelope.Id, draft).ConfigureAwait(false))
                return false;
            await draft.AppendAsync(Octets("\r\n"), ct).ConfigureAwait(false);
        }

        await draft.AppendAsync(Octets($"--{inner}--\r\n\r\n--{outer}--\r\n"), ct).ConfigureAwait(false);
        return true;
    }

    private byte[] Head()
    {
        var text = new StringBuilder();
        Line($"From: Mail Delivery System <MAILER-DAEMON@{hostname}>");
        Line($"To: <{To.Address}>");
        Line($"Subject: {reports.Count} reports on your messages");
        Line($"Date: {StatusReport.Rfc5322(now)}");
        Line($"Message-ID: <{id}@{hostname}>");
        Line($"Auto-Submitted: auto-replied");
        Line($"MIME-Version: 1.0");
        Line($"Content-Type: multipart/mixed; boundary=\"{outer}\"");
        if (Is8Bit)
            Line($"Content-Transfer-Encoding: 8bit");
        Line($"");
        Line($"--{outer}");
        Line($"Content-Type: text/plain; charset=us-ascii");
        Line($"");
        Line($"There is so much to tell of your messages that {reports.Count} reports come together.");
        Line($"Each of them is attached as it is.");
        Line($"");
        foreach (var report in reports)
            Line($"{StatusReport.Rfc5322(report.Envelope.ArrivedAt)}: {StatusReport.OneLine(report.Envelope.ReportOf!.Reason)}");
        Line($"");
        Line($"This is the mail system at {hostname}.");
        Line($"");
        Line($"--{outer}");
        Line($"Content-Type: multipart/digest; boundary=\"{inner}\"");
        if (Is8Bit)
            Line($"Content-Transfer-Encoding: 8bit");
        Line($"");
        return Encoding.UTF8.GetBytes(text.ToString());

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append("\r\n");
    }

    private static byte[] Octets(string text) => Encoding.ASCII.GetBytes(text);
}
