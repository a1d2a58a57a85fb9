using System.Net;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Transports;

/// <summary>One address of one host of a next hop.</summary>
/// <param name="Preference">Of the mail exchanger, or the place of a named server in its list.</param>
internal sealed record HopPlace(string Host, IPEndPoint Address, HopTerms Terms, int Preference)
{
    /// <summary>The address of this machine to connect from; null for the system's choice.</summary>
    public IPAddress? From { get; init; }

    /// <summary>What this server calls itself there; null for its own name.</summary>
    public Domain? Hello { get; init; }

    /// <summary><c>host[address]:port</c>.</summary>
    public string Remote => Host == Address.Address.ToString() ? $"[{Address.Address}]:{Address.Port}" : $"{Host}[{Address.Address}]:{Address.Port}";
}
