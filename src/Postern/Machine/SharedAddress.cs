using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;

namespace Postern.Machine;

/// <summary>An address that clients may come from who are not it: of a bridge of this machine, or of a gateway it sends by.</summary>
/// <param name="What">As it goes on in a sentence that has named the address.</param>
internal sealed record SharedAddress(IPAddress Address, string What)
{
    private const string Interfaces = "/sys/class/net";

    /// <summary>Those of this machine; without any where the system does not tell.</summary>
    public static ImmutableArray<SharedAddress> All()
    {
        try
        {
            return [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(Of).DistinctBy(static shared => shared.Address)];
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }

    private static bool IsNone(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static IEnumerable<SharedAddress> Of(NetworkInterface one)
    {
        var properties = one.GetIPProperties();
        if (Directory.Exists($"{Interfaces}/{one.Name}/bridge"))
        {
            foreach (var own in properties.UnicastAddresses)
            {
                if (!own.Address.IsIPv6LinkLocal)
                    yield return new SharedAddress(own.Address, $"the address of the bridge {one.Name} of this machine");
            }
        }

        foreach (var gateway in properties.GatewayAddresses)
        {
            if (gateway.Address is { IsIPv6LinkLocal: false } address && !IsNone(address))
                yield return new SharedAddress(address, $"the gateway that this machine sends by on {one.Name}");
        }
    }
}
