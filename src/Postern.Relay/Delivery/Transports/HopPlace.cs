using System.Net;

namespace Postern.Relay.Delivery.Transports;

/// <summary>One address of one host of a next hop.</summary>
/// <param name="Preference">Of the mail exchanger; 0 where there is no order.</param>
internal sealed record HopPlace(string Host, IPEndPoint Address, HopTerms Terms, int Preference)
{
    /// <summary><c>host[address]:port</c>.</summary>
    public string Remote => Host == Address.Address.ToString() ? $"[{Address.Address}]:{Address.Port}" : $"{Host}[{Address.Address}]:{Address.Port}";
}
