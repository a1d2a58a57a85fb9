using System.Net;

namespace Postern.Relay.Delivery.Transports;

/// <summary>One address of one host of a next hop.</summary>
/// <param name="Preference">Of the mail exchanger; 0 where there is no order.</param>
/// <param name="From">The address of this machine to connect from; null for the system's choice.</param>
internal sealed record HopPlace(string Host, IPEndPoint Address, HopTerms Terms, int Preference, IPAddress? From)
{
    /// <summary><c>host[address]:port</c>.</summary>
    public string Remote => Host == Address.Address.ToString() ? $"[{Address.Address}]:{Address.Port}" : $"{Host}[{Address.Address}]:{Address.Port}";
}
