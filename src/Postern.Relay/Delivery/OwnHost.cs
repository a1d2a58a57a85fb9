using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>
/// Tells this server from others, so that mail which would come straight back is seen before it goes (RFC 5321 §5.1): by a name or an
/// address of this host at a port where it listens, and by what a server calls itself.
/// </summary>
/// <param name="listeners">Where this server listens, now.</param>
internal sealed class OwnHost(Domain hostname, Func<IReadOnlyList<IPEndPoint>> listeners, TimeProvider clock)
{
    public const string Status = "5.4.6";

    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(1);

    private volatile Addresses? known;

    public Domain Hostname => hostname;

    public static Outcome.Failed Loop(string why) =>
        new(Remote: null, $"Mail for this recipient would come back here: {why}", Tls: null, Status)
        {
            Cause = DeliveryCause.Loop,
            Phase = DeliveryPhase.Connect,
        };

    /// <summary>The port is one of ours, and so is the address.</summary>
    public bool Is(IPEndPoint place)
    {
        foreach (var listener in listeners())
        {
            if (listener.Port == place.Port
                && (listener.Address.Equals(place.Address) || (IsAny(listener.Address) && IsLocal(place.Address))))
                return true;
        }

        return false;
    }

    /// <summary>The name is ours, and something of ours listens at that port.</summary>
    public bool IsNamed(string host, int port) => IsOurName(host) && listeners().Any(l => l.Port == port);

    /// <summary>A server calls itself by our name. A name without a dot is many hosts' name, and says nothing.</summary>
    public bool IsCalled((string? Greeting, string? Hello) names) =>
        hostname.Text.Contains('.', StringComparison.Ordinal) && (IsOurName(names.Greeting) || IsOurName(names.Hello));

    private bool IsOurName(string? name) =>
        name is not null && name.AsSpan().TrimEnd('.').Equals(hostname.Text, StringComparison.OrdinalIgnoreCase);

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private bool IsLocal(IPAddress address)
    {
        if (IPAddress.IsLoopback(address))
            return true;
        var addresses = known;
        if (addresses is null || clock.GetElapsedTime(addresses.ReadAt) >= KeptFor)
            known = addresses = new Addresses(Read() ?? addresses?.Of ?? [], clock.GetTimestamp());
        return addresses.Of.Contains(address);
    }

    /// <summary>Null where they cannot be read: then the greeting tells.</summary>
    private static HashSet<IPAddress>? Read()
    {
        try
        {
            return [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(static i => i.GetIPProperties().UnicastAddresses)
                .Select(static a => WithoutScope(a.Address))];
        }
        catch (Exception e) when (e is NetworkInformationException or IOException or PlatformNotSupportedException)
        {
            return null;
        }
    }

    private static IPAddress WithoutScope(IPAddress address) =>
        address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 } ? new IPAddress(address.GetAddressBytes()) : address;

    private sealed record Addresses(HashSet<IPAddress> Of, long ReadAt);
}
