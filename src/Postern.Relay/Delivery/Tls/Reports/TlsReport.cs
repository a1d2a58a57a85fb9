using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Postern.Relay.Delivery.Reports;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Tls.Reports;

/// <summary>The report of one day to one domain: as JSON (RFC 8460 §4.4), and as a message that carries it (§5.3).</summary>
internal sealed class TlsReport(TlsTally tally, DateOnly day, Domain hostname, Mailbox from)
{
    private const int Base64Line = 76;

    private readonly string start = $"{day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}T00:00:00Z";
    private readonly string end = $"{day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}T23:59:59Z";

    /// <summary>The same for the same day and domain, so that a report which is sent twice counts once.</summary>
    public string Id => $"{start}_{tally.Domain}@{hostname}";

    public byte[] ToJson()
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("organization-name", hostname.Text);
            json.WriteStartObject("date-range");
            json.WriteString("start-datetime", start);
            json.WriteString("end-datetime", end);
            json.WriteEndObject();
            json.WriteString("contact-info", from.Address);
            json.WriteString("report-id", Id);
            json.WriteStartArray("policies");
            foreach (var policy in tally.Policies)
                Write(json, policy);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return text.ToArray();
    }

    public byte[] ToGzip()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
            gzip.Write(ToJson());
        return packed.ToArray();
    }

    /// <summary>Lines end in CRLF, US-ASCII only.</summary>
    /// <param name="to">At least one.</param>
    public byte[] ToMessage(QueueId id, DateTimeOffset now, IReadOnlyList<Mailbox> to)
    {
        var text = new StringBuilder();
        var boundary = $"tlsrpt-{id}";
        var (begin, stop) = (Seconds(day), Seconds(day.AddDays(1)) - 1);
        Line($"From: <{from}>");
        Line($"To: {string.Join(", ", to.Select(static t => $"<{t}>"))}");
        Line($"Subject: Report Domain: {tally.Domain} Submitter: {hostname} Report-ID: <{Id}>");
        Line($"Date: {StatusReport.Rfc5322(now)}");
        Line($"Message-ID: <{id}@{hostname}>");
        Line($"TLS-Report-Domain: {tally.Domain}");
        Line($"TLS-Report-Submitter: {hostname}");
        Line($"TLS-Required: No");
        Line($"Auto-Submitted: auto-generated");
        Line($"MIME-Version: 1.0");
        Line($"Content-Type: multipart/report; report-type=\"tlsrpt\"; boundary=\"{boundary}\"");
        Line($"");
        Line($"--{boundary}");
        Line($"Content-Type: text/plain; charset=us-ascii");
        Line($"");
        Line($"This is an aggregate report on TLS connections from {hostname}");
        Line($"to the mail exchangers of {tally.Domain} on {day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)} (UTC).");
        Line($"Sessions that went well: {tally.Policies.Sum(static p => p.Successes)}");
        Line($"Sessions that failed:    {tally.Policies.Sum(static p => p.FailedSessions)}");
        Line($"");
        Line($"--{boundary}");
        Line($"Content-Type: application/tlsrpt+gzip");
        Line($"Content-Transfer-Encoding: base64");
        Line($"Content-Disposition: attachment;");
        Line($"\tfilename=\"{hostname}!{tally.Domain}!{begin}!{stop}.json.gz\"");
        Line($"");
        var packed = Convert.ToBase64String(ToGzip());
        for (var at = 0; at < packed.Length; at += Base64Line)
            Line($"{packed[at..Math.Min(at + Base64Line, packed.Length)]}");
        Line($"");
        Line($"--{boundary}--");
        return Encoding.ASCII.GetBytes(text.ToString());

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append("\r\n");
    }

    private static long Seconds(DateOnly at) => new DateTimeOffset(at, TimeOnly.MinValue, TimeSpan.Zero).ToUnixTimeSeconds();

    private void Write(Utf8JsonWriter json, TlsPolicyTally policy)
    {
        json.WriteStartObject();
        json.WriteStartObject("policy");
        json.WriteString("policy-type", policy.Type);
        if (!policy.Policy.IsEmpty)
            Write(json, "policy-string", policy.Policy);
        json.WriteString("policy-domain", tally.Domain);
        if (!policy.Hosts.IsEmpty)
            Write(json, "mx-host", policy.Hosts);
        json.WriteEndObject();
        json.WriteStartObject("summary");
        json.WriteNumber("total-successful-session-count", policy.Successes);
        json.WriteNumber("total-failure-session-count", policy.FailedSessions);
        json.WriteEndObject();
        if (policy.Failures.Count > 0)
        {
            json.WriteStartArray("failure-details");
            foreach (var failure in policy.Failures)
                Write(json, failure);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, TlsFailureTally tallied)
    {
        var failure = tallied.Failure;
        json.WriteStartObject();
        json.WriteString("result-type", failure.Result);
        foreach (var (key, value) in ((string, string?)[])[
            ("sending-mta-ip", failure.From),
            ("receiving-mx-hostname", failure.Host),
            ("receiving-ip", failure.Address)])
        {
            if (value is not null)
                json.WriteString(key, value);
        }

        json.WriteNumber("failed-session-count", tallied.Sessions);
        if (failure.Reason is { } reason)
            json.WriteString("failure-reason-code", reason);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string key, IEnumerable<string> values)
    {
        json.WriteStartArray(key);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
