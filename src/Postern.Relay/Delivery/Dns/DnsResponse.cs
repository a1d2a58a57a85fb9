using System.Globalization;

namespace Postern.Relay.Delivery.Dns;

/// <summary>A well-formed response. <paramref name="Code"/> as in RFC 1035 §4.1.1: 0 no error, 2 server failure, 3 no such name.</summary>
internal sealed record DnsResponse(int Code, bool IsTruncated, IReadOnlyList<DnsRecord> Records)
{
    /// <summary>The AD bit (RFC 4035 §3.2.3), whoever set it.</summary>
    public bool IsAuthentic { get; init; }

    public const int NoError = 0;
    public const int NoSuchName = 3;

    private const int MaxAliases = 8;

    /// <summary>A code that is no answer, by its usual name and in plain words (RFC 1035 §4.1.1).</summary>
    public static string WordsOf(int code) => code switch
    {
        1 => "it could not read the question (FORMERR)",
        2 => "it could not find out (SERVFAIL)",
        4 => "it does not answer this kind of question (NOTIMP)",
        5 => "it refuses to answer (REFUSED)",
        _ => string.Create(CultureInfo.InvariantCulture, $"it answered with code {code}"),
    };

    /// <summary>
    /// The records that answer for <paramref name="name"/>, through the aliases in the answer, and the name at their end; no records when
    /// there are none or the aliases run in a circle. A question for CNAME itself follows none.
    /// </summary>
    public (IReadOnlyList<DnsRecord> Records, string CanonicalName) Answering(string name, DnsType type)
    {
        for (var aliases = 0; aliases <= MaxAliases; aliases++)
        {
            var owner = name;
            var found = Records.Where(
                r => Is(r, type) && r.Owner.Equals(owner, StringComparison.OrdinalIgnoreCase)).ToList();
            if (found.Count > 0)
                return (found, name);
            if (type == DnsType.Cname || Records.OfType<DnsRecord.Cname>()
                .FirstOrDefault(c => c.Owner.Equals(owner, StringComparison.OrdinalIgnoreCase)) is not { } alias)
                return ([], name);
            name = alias.Target;
        }

        return ([], name);
    }

    private static bool Is(DnsRecord record, DnsType type) => record switch
    {
        DnsRecord.Mx => type == DnsType.Mx,
        DnsRecord.Address { Value.AddressFamily: System.Net.Sockets.AddressFamily.InterNetwork } => type == DnsType.A,
        DnsRecord.Address => type == DnsType.Aaaa,
        DnsRecord.Cname => type == DnsType.Cname,
        DnsRecord.Ptr => type == DnsType.Ptr,
        DnsRecord.Txt => type == DnsType.Txt,
        DnsRecord.Srv => type == DnsType.Srv,
        DnsRecord.Tlsa => type == DnsType.Tlsa,
        _ => false,
    };
}
