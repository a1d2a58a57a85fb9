using System.Globalization;
using System.Text;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery.Reports;

/// <summary>
/// A word to the postmaster, or to a user, about something that only a person can mend (RFC 5322). US-ASCII only, lines end in CRLF.
/// </summary>
internal static class PostmasterWord
{
    /// <summary>Stores it; why it could not be, or null.</summary>
    /// <param name="to">Null: the postmaster.</param>
    public static async ValueTask<string?> SendAsync(
        ISpool spool,
        DeliveryOptions options,
        TimeProvider clock,
        string subject,
        IEnumerable<string> lines,
        CancellationToken ct,
        Mailbox? to = null)
    {
        var reader = to ?? options.Postmaster ?? Mailbox.Parse($"postmaster@{options.Hostname}");
        var (id, now) = (QueueId.New(clock), clock.GetUtcNow());
        try
        {
            await using var draft = spool.CreateDraft();
            await draft.AppendAsync(Write(id, now, options.Hostname, reader, subject, lines), ct).ConfigureAwait(false);
            var envelope = new Envelope
            {
                Id = id,
                ArrivedAt = now,
                Said = new SmtpEnvelope(ReversePath.Null, [reader])
                {
                    RecipientParameters = [new RecipientParameters { Notify = DsnNotify.Never }],
                },
            };
            var commit = await draft.CommitAsync(envelope, DeliveryState.Fresh(recipients: 1, now), ct).ConfigureAwait(false);
            return commit is SpoolCommit.Durable ? null : "the spool takes nothing now";
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            return e.Message;
        }
    }

    private static byte[] Write(
        QueueId id, DateTimeOffset now, Domain hostname, Mailbox reader, string subject, IEnumerable<string> lines)
    {
        var text = new StringBuilder();
        Line($"From: Mail Delivery System <MAILER-DAEMON@{hostname}>");
        Line($"To: <{reader}>");
        Line($"Subject: {StatusReport.OneLine(subject)}");
        Line($"Date: {StatusReport.Rfc5322(now)}");
        Line($"Message-ID: <{id}@{hostname}>");
        Line($"Auto-Submitted: auto-generated");
        Line($"MIME-Version: 1.0");
        Line($"Content-Type: text/plain; charset=us-ascii");
        Line($"");
        Line($"This is the mail system at {hostname}.");
        Line($"");
        foreach (var line in lines)
            Line($"{StatusReport.OneLine(line)}");
        return Encoding.ASCII.GetBytes(text.ToString());

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append("\r\n");
    }
}
