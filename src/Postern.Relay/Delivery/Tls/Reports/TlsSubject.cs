using System.Collections.Immutable;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Tls.Reports;

/// <summary>What a session is counted under for the domain whose mail it carries (RFC 8460 §4.4).</summary>
/// <param name="Type"><c>tlsa</c>, <c>sts</c> or <c>no-policy-found</c>.</param>
/// <param name="Policy">The policy as it was published, a line each.</param>
/// <param name="Hosts">The patterns of an MTA-STS policy.</param>
internal sealed record TlsSubject(Domain Domain, string Type, ImmutableArray<string> Policy, ImmutableArray<string> Hosts)
{
    public const string Tlsa = "tlsa";
    public const string Sts = "sts";
    public const string NoPolicy = "no-policy-found";

    public static TlsSubject Without(Domain domain) => new(domain, NoPolicy, [], []);
}
