using System.Globalization;
using System.Net;
using Postern.Configuration.Devices;
using Postern.Relay.Policy.Devices;

namespace Postern.Configuration.Doubts;

/// <summary>Entries of <c>devices</c> that no client comes to. Each by its key.</summary>
internal static class SilentDevices
{
    public static IEnumerable<(string Key, string Text)> Of(PosternConfiguration configuration)
    {
        for (var i = 0; i < configuration.Devices.Length; i++)
        {
            var devices = configuration.Devices[i];
            var key = string.Create(CultureInfo.InvariantCulture, $"devices[{i}]");
            if (configuration.Devices.Take(i).FirstOrDefault(earlier => Covers(earlier.Terms, devices.Terms)) is { } before)
                yield return (
                    $"{key}.clients", $"no client comes to it: all of them are devices '{before.Terms.Name}', which stand before it");
            foreach (var listener in configuration.Listeners.Where(l => l.Device is null && IsNamed(devices, l)))
            {
                if (listener.Clients is { } taken
                    && !devices.Terms.Clients.Any(one => taken.Any(many => Holds(many, one) || Holds(one, many))))
                    yield return (
                        $"{key}.listener",
                        $"the listener {listener.Name} takes no connection from {string.Join(", ", devices.Terms.Clients)}: its 'clients' "
                            + "are others");
            }
        }
    }

    private static bool IsNamed(DeviceOptions devices, ListenerOptions listener) =>
        devices.Through.Contains(listener.Name, StringComparer.OrdinalIgnoreCase);

    private static bool Covers(DeviceTerms earlier, DeviceTerms later) =>
        later.Listeners.All(name => earlier.Listeners.Contains(name, StringComparer.OrdinalIgnoreCase))
        && (earlier.Clients.IsEmpty
            || (!later.Clients.IsEmpty && later.Clients.All(one => earlier.Clients.Any(many => Holds(many, one)))));

    private static bool Holds(IPNetwork many, IPNetwork one) =>
        many.PrefixLength <= one.PrefixLength && many.Contains(one.BaseAddress);
}
