using System.Net;

namespace Postern.Configuration.Reading;

/// <summary>Networks in CIDR notation; a single address is the network of itself.</summary>
internal static class NetworkText
{
    /// <summary>False when it is neither, or when bits behind the prefix are set: 10.0.0.5/24 is probably a mistake, and which one is not for us to guess.</summary>
    public static bool TryParse(string text, out IPNetwork network)
    {
        network = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? text : text[..slash], out var address) || !IsComplete(text))
            return false;
        if (slash >= 0)
            return IPNetwork.TryParse(text, out network) && network.BaseAddress.Equals(address);
        network = new IPNetwork(address, address.GetAddressBytes().Length * 8);
        return true;
    }

    /// <summary>The parser would take "10.1" for 10.0.0.1.</summary>
    private static bool IsComplete(ReadOnlySpan<char> address) => address.Contains(':') || address.Count('.') == 3;
}
