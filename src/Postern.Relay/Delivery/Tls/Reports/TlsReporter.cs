using System.Net;
using System.Net.Http.Headers;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Delivery.Tls.Reports;

/// <summary>
/// Sends the reports of days that are over to the domains that ask for them (RFC 8460 §5): by mail, which is signed as any mail is and goes
/// whatever TLS the receiver fails at, and by HTTPS.
/// </summary>
internal sealed class TlsReporter(TlsCounts counts, ISpool spool, IAuditLog audit, TimeProvider clock)
{
    private static readonly RecipientParameters NeverReported = new() { Notify = DsnNotify.Never };
    /// <summary>Of what a server says to a report; nobody reads it.</summary>
    private const int MostOctets = 64 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>A report that cannot be sent by then is of no use.</summary>
    private static readonly TimeSpan GiveUp = TimeSpan.FromDays(2);

    /// <summary>Reports of all servers must not come at midnight together (§4.1): each server has a time of its own.</summary>
    private static readonly TimeSpan Spread = TimeSpan.FromHours(4);

    /// <param name="options">With <see cref="DeliveryOptions.TlsReportsFrom"/>.</param>
    public async ValueTask SendDueAsync(DeliveryOptions options, CancellationToken ct)
    {
        if (options.TlsReportsFrom is not { } from)
            return;
        var dns = DnsCache.Of(options, clock);
        foreach (var day in counts.Past())
        {
            var over = new DateTimeOffset(day.AddDays(1), TimeOnly.MinValue, TimeSpan.Zero);
            if (clock.GetUtcNow() < over + TimeOf(options.Hostname))
                continue;
            var left = counts.Read(day).ToList();
            var mayWait = clock.GetUtcNow() < over + GiveUp;
            foreach (var tally in left.ToArray())
            {
                var report = new TlsReport(tally, day, options.Hostname, from);
                if (!await SendAsync(options, dns, tally.Domain, report, ct).ConfigureAwait(false) && mayWait)
                    continue;
                left.Remove(tally);
                // After each: what was sent is not sent again after a kill.
                counts.Keep(day, left);
            }

            counts.Keep(day, left);
        }
    }

    /// <summary>After midnight, by the name of this server.</summary>
    internal static TimeSpan TimeOf(Domain hostname) =>
        Spread * (hostname.Text.Aggregate(17u, static (hash, c) => (hash * 31) + c) % 1000 / 1000.0);

    /// <summary>False where it is to be tried again.</summary>
    private async ValueTask<bool> SendAsync(DeliveryOptions options, DnsCache dns, string domain, TlsReport report, CancellationToken ct)
    {
        var answer = await dns.QueryAsync(TlsReportRecord.NameOf(domain), DnsType.Txt, ct).ConfigureAwait(false);
        if (answer.Status == DnsStatus.Unavailable)
            return false;
        if (answer.Status != DnsStatus.Found || TlsReportRecord.Read(answer.Records) is not { } wanted)
            return true;
        var isSent = wanted.Mailboxes.IsEmpty || await MailAsync(options, wanted, domain, report, ct).ConfigureAwait(false);
        foreach (var address in wanted.Addresses)
            isSent &= await PostAsync(options, dns, address, domain, report, ct).ConfigureAwait(false);
        return isSent;
    }

    private async ValueTask<bool> MailAsync(
        DeliveryOptions options, TlsReportRecord wanted, string domain, TlsReport report, CancellationToken ct)
    {
        var (id, now) = (QueueId.New(clock), clock.GetUtcNow());
        await using var draft = spool.CreateDraft();
        await draft.AppendAsync(report.ToMessage(id, now, wanted.Mailboxes), ct).ConfigureAwait(false);
        var envelope = new Envelope
        {
            Id = id,
            ArrivedAt = now,
            Said = new SmtpEnvelope(ReversePath.Null, wanted.Mailboxes)
            {
                RecipientParameters = [.. wanted.Mailboxes.Select(static _ => NeverReported)],
            },
            IsTlsOptional = true,
        };
        var commit = await draft.CommitAsync(envelope, DeliveryState.Fresh(wanted.Mailboxes.Length, now), ct).ConfigureAwait(false);
        var problem = commit switch
        {
            SpoolCommit.Durable => null,
            SpoolCommit.Full(var reason) => reason,
            SpoolCommit.Failed(var reason) => reason,
            _ => "unknown answer of the spool",
        };
        Tell(
            domain,
            report,
            problem is null ? $"sent to {string.Join(", ", wanted.Mailboxes)} as {id}" : $"not stored, tried again: {problem}");
        return problem is null;
    }

    private async ValueTask<bool> PostAsync(
        DeliveryOptions options, DnsCache dns, Uri address, string domain, TlsReport report, CancellationToken ct)
    {
        using var deadline = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        try
        {
            using var http = StrangersFetch.Create(options, new MxResolver(dns), MostOctets);
            using var content = new ByteArrayContent(report.ToGzip());
            content.Headers.ContentType = new MediaTypeHeaderValue("application/tlsrpt+gzip");
            using var response = await http.PostAsync(address, content, either.Token).ConfigureAwait(false);
            var isTaken = response.StatusCode is >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices;
            Tell(domain, report, $"posted to {address}: HTTP status {(int)response.StatusCode}");
            return isTaken;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            Tell(domain, report, $"not posted to {address}: {e.InnerException?.Message ?? e.Message}");
            return false;
        }
    }

    private void Tell(string domain, TlsReport report, string words) =>
        audit.Append(new ServerEvent(clock.GetUtcNow(), "tls_report", $"{domain}, {report.Id}: {words}"));
}
