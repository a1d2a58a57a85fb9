namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// Says on what terms a host is spoken to: which TLS it needs, by what its certificate is verified, which login is made. Asked for each host before it is
/// connected to, so that an answer may rest on what is looked up for it: DANE (RFC 7672), MTA-STS (RFC 8461), a policy of a destination.
/// </summary>
internal interface IHopPolicy
{
    /// <param name="hop">For mail exchangers it knows the domain whose mail they take.</param>
    /// <param name="host">One of the hop's.</param>
    /// <param name="isAuthentic">DNSSEC proves that it is (RFC 7672 §2.2).</param>
    ValueTask<HopTerms> TermsForAsync(NextHop hop, Exchanger host, bool isAuthentic, CancellationToken ct);
}
