using System.Collections.Immutable;
using Postern.Relay.Delivery.Dns;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Tls.Reports;

/// <summary>Where a domain wants its reports (RFC 8460 §3).</summary>
internal sealed record TlsReportRecord(ImmutableArray<Mailbox> Mailboxes, ImmutableArray<Uri> Addresses)
{
    /// <summary>A domain chooses who is written to: no more than these.</summary>
    private const int Most = 3;

    private const string Version = "v=TLSRPTv1";

    public static string NameOf(string domain) => $"_smtp._tls.{domain}";

    /// <summary>Null where there is none, more than one, or it names nobody.</summary>
    public static TlsReportRecord? Read(IEnumerable<DnsRecord> records)
    {
        var asking = records.OfType<DnsRecord.Txt>().Select(static r => r.Text)
            .Where(static t => t.StartsWith(Version, StringComparison.Ordinal)
                && t.AsSpan(Version.Length).TrimStart(" \t") is [';', ..])
            .ToList();
        if (asking is not [var only])
            return null;
        var wanted = only.Split(';').Skip(1).Select(static f => f.Trim(' ', '\t'))
            .FirstOrDefault(static f => f.StartsWith("rua=", StringComparison.Ordinal));
        if (wanted is null)
            return null;
        var (mailboxes, addresses) = (ImmutableArray.CreateBuilder<Mailbox>(), ImmutableArray.CreateBuilder<Uri>());
        foreach (var text in wanted["rua=".Length..].Split(',').Select(static t => t.Trim(' ', '\t')).Take(Most))
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out var uri))
                continue;
            if (uri.Scheme == Uri.UriSchemeHttps)
                addresses.Add(uri);
            else if (uri.Scheme == Uri.UriSchemeMailto
                && Mailbox.TryParse(Uri.UnescapeDataString(text["mailto:".Length..].Split('?')[0]), out var mailbox))
                mailboxes.Add(mailbox);
        }

        return mailboxes.Count + addresses.Count == 0 ? null : new TlsReportRecord(mailboxes.ToImmutable(), addresses.ToImmutable());
    }
}
