using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Postern.Relay.Delivery.Dns;

/// <summary>Where the names of an address stand (RFC 1035 §3.5, RFC 3596 §2.5).</summary>
internal static class ReverseName
{
    public static string Of(IPAddress address)
    {
        var octets = address.GetAddressBytes().Reverse();
        if (address.AddressFamily == AddressFamily.InterNetwork)
            return $"{string.Join('.', octets.Select(static o => o.ToString(CultureInfo.InvariantCulture)))}.in-addr.arpa";
        var digits = octets.Select(static o => string.Create(CultureInfo.InvariantCulture, $"{o & 15:x}.{o >> 4:x}"));
        return $"{string.Join('.', digits)}.ip6.arpa";
    }
}
