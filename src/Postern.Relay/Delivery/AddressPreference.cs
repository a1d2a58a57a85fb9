namespace Postern.Relay.Delivery;

/// <summary>
/// Which addresses of a host are connected to, and which of them first (Postfix: smtp_address_preference, inet_protocols).
/// </summary>
public enum AddressPreference
{
    /// <summary>Both, IPv4 first; the addresses of an operator's server as the system orders them.</summary>
    Usual,

    /// <summary>Both, IPv4 first.</summary>
    Ipv4First,

    /// <summary>Both, IPv6 first.</summary>
    Ipv6First,

    /// <summary>IPv4 alone.</summary>
    Ipv4Only,

    /// <summary>IPv6 alone.</summary>
    Ipv6Only,
}
