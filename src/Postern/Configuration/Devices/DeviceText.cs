using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Authentication;
using Postern.Relay.Policy.Devices;
using Postern.Smtp.Transport;
using Postern.Web.Documents;

namespace Postern.Configuration.Devices;

/// <summary>What is put up with from devices, in plain words, for <c>check</c> and <c>status</c>.</summary>
internal static class DeviceText
{
#pragma warning disable CA5397, SYSLIB0039 // named for a listener on purpose, for devices that cannot do better
    private const SslProtocols Tls10 = SslProtocols.Tls;
    private const SslProtocols Tls11 = SslProtocols.Tls11;
#pragma warning restore CA5397, SYSLIB0039

    /// <summary>What is taken from these devices that is not taken elsewhere; empty where nothing is.</summary>
    public static ImmutableArray<string> WeakenedOf(DeviceOptions devices)
    {
        var weakened = ImmutableArray.CreateBuilder<string>();
        if (devices.Listener is { } listener)
        {
            if (listener.Tls == TlsMode.None)
                weakened.Add("no TLS");
            else if (listener.TlsProtocols is { } floor && floor.HasFlag(Tls11))
                weakened.Add(floor.HasFlag(Tls10) ? "TLS 1.0" : "TLS 1.1");
            else if (listener.Ciphers != TlsCiphers.Modern)
                weakened.Add($"{listener.Ciphers.ToString().ToLowerInvariant()} ciphers");
            if (listener.Auth == AuthMode.Always)
                weakened.Add("passwords in clear");
        }

        if (devices.Terms.Login != LoginNeed.Required)
            weakened.Add(devices.Terms.To.IsEmpty ? "mail to anybody without a login" : "mail without a login");
        return weakened.ToImmutable();
    }

    /// <summary>Of all devices of a configuration.</summary>
    public static ImmutableArray<DeviceDocument> DocumentsOf(PosternConfiguration configuration) =>
    [
        .. configuration.Devices.Select(static devices => new DeviceDocument(
            devices.Terms.Name,
            devices.Terms.Listeners,
            [.. devices.Terms.Clients.Select(static network => network.ToString())],
            WeakenedOf(devices),
            Describe(devices))),
    ];

    /// <summary>The same in one sentence, with where and from whom.</summary>
    public static string Describe(DeviceOptions devices)
    {
        var weakened = WeakenedOf(devices);
        var what = weakened switch
        {
            [] => "nothing that others may not",
            [var only] => only,
            [.. var most, var last] => $"{string.Join(", ", most)} and {last}",
        };
        return $"devices '{devices.Terms.Name}' on {PlaceOf(devices)} takes {what} from {ClientsOf(devices.Terms)}";
    }

    private static string PlaceOf(DeviceOptions devices) => string.Join(
        " and ",
        devices.Listener is { Endpoints: var endpoints }
            ? endpoints.Select(static at => IPAddress.Any.Equals(at.Address) || IPAddress.IPv6Any.Equals(at.Address)
                ? string.Create(CultureInfo.InvariantCulture, $":{at.Port}")
                : at.ToString()).Distinct(StringComparer.Ordinal)
            : devices.Terms.Listeners);

    private static string ClientsOf(DeviceTerms terms) => terms.Clients.IsEmpty ? "everywhere" : string.Join(" and ", terms.Clients);
}
