using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Postern.Relay.Policy;

/// <summary>
/// Reads a network as operators write it, strictly: what is not clearly one network is refused with the likely intention.
/// </summary>
public static class NetworkText
{
    private const int MappedPrefix = 96;

    /// <summary>
    /// Takes <c>192.0.2.0/24</c>, <c>2001:db8::/32</c>, or one address. An IPv4-mapped network becomes the IPv4 network. On false,
    /// <paramref name="problem"/> says why in one sentence.
    /// </summary>
    public static bool TryParse(string text, out IPNetwork network, [NotNullWhen(false)] out string? problem)
    {
        network = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var addressText = slash < 0 ? text : text[..slash];
        if (!TryParseAddress(addressText, out var address))
        {
            problem = $"'{text}' is not a network: write 192.0.2.0/24 or 2001:db8::/32";
            return false;
        }

        var bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var length = bits;
        if (slash >= 0
            && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out length) || length > bits))
        {
            problem = string.Create(CultureInfo.InvariantCulture, $"'{text}' is not a network: the number after the slash is 1 to {bits}");
            return false;
        }

        var start = Masked(address, length);
        if (!start.Equals(address))
        {
            problem = string.Create(
                CultureInfo.InvariantCulture,
                $"'{text}' has bits set behind its prefix: the network is {start}/{length}, the one address {address}/{bits}");
            return false;
        }

        if (address.IsIPv4MappedToIPv6 && length >= MappedPrefix)
            (start, length) = (start.MapToIPv4(), length - MappedPrefix);
        if (length == 0)
        {
            problem = $"'{text}' is every client there is: that would be an open relay";
            return false;
        }

        network = new IPNetwork(start, length);
        problem = null;
        return true;
    }

    /// <summary>The runtime also reads <c>10.1</c>, <c>0x7f.1</c> and octal; a person who writes those meant something else.</summary>
    private static bool TryParseAddress(string text, [NotNullWhen(true)] out IPAddress? address)
    {
        if (!IPAddress.TryParse(text, out address) || text.AsSpan().ContainsAny('%', '[', ']'))
            return false;
        return address.AddressFamily == AddressFamily.InterNetworkV6 || string.Equals(address.ToString(), text, StringComparison.Ordinal);
    }

    private static IPAddress Masked(IPAddress address, int length)
    {
        var octets = address.GetAddressBytes();
        for (var i = 0; i < octets.Length; i++)
        {
            var kept = Math.Clamp(length - (i * 8), 0, 8);
            octets[i] &= (byte)(0xff << (8 - kept));
        }

        return new IPAddress(octets);
    }
}
