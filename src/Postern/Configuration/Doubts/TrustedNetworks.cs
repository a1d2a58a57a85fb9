using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Postern.Machine;
using Postern.Relay.Policy.Access;
using Postern.Relay.Policy.Devices;

namespace Postern.Configuration.Doubts;

/// <summary>
/// What is wrong, or doubtful, about the networks that may relay without a password: a file that does not read, and a network that holds an
/// address at which others stand. Behind a bridge or a gateway that translates addresses every client there is comes from that one.
/// </summary>
internal static class TrustedNetworks
{
    /// <summary>Files that cannot be read, or have a line that does not read.</summary>
    public static IEnumerable<ConfigurationError> Problems(PosternConfiguration configuration)
    {
        for (var i = 0; i < configuration.NetworkFiles.Length; i++)
        {
            if (Read(configuration.NetworkFiles[i], out _) is { } problem)
                yield return configuration.ErrorAt(KeyOf(i), problem);
        }
    }

    /// <param name="shared">Addresses at which others stand, and what each is.</param>
    public static IEnumerable<ConfigurationError> Doubts(PosternConfiguration configuration, ImmutableArray<SharedAddress> shared)
    {
        for (var i = 0; i < configuration.Networks.Length; i++)
        {
            if (Doubt([configuration.Networks[i]], shared) is { } doubt)
                yield return configuration.ErrorAt(string.Create(CultureInfo.InvariantCulture, $"networks[{i}]"), doubt);
        }

        for (var i = 0; i < configuration.NetworkFiles.Length; i++)
        {
            if (Read(configuration.NetworkFiles[i], out var networks) is null && Doubt(networks, shared) is { } doubt)
                yield return configuration.ErrorAt(KeyOf(i), doubt);
        }

        foreach (var doubt in OfDevices(configuration, shared))
            yield return doubt;
    }

    /// <summary>Of devices that need no login.</summary>
    private static IEnumerable<ConfigurationError> OfDevices(PosternConfiguration configuration, ImmutableArray<SharedAddress> shared)
    {
        for (var i = 0; i < configuration.Devices.Length; i++)
        {
            var terms = configuration.Devices[i].Terms;
            if (terms.Login != LoginNeed.Required && Doubt(terms.Clients, shared) is { } doubt)
                yield return configuration.ErrorAt(string.Create(CultureInfo.InvariantCulture, $"devices[{i}].clients"), doubt);
        }
    }

    private static string KeyOf(int file) => string.Create(CultureInfo.InvariantCulture, $"network_files[{file}]");

    /// <summary>Why a file cannot be read; null where it can.</summary>
    public static string? Read(string path, out IReadOnlyList<IPNetwork> networks)
    {
        networks = [];
        try
        {
            networks = NetworkFile.ReadNetworks(File.ReadLines(path));
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return $"{path}: {e.Message}";
        }
    }

    private static string? Doubt(IReadOnlyList<IPNetwork> networks, ImmutableArray<SharedAddress> shared)
    {
        foreach (var (address, what) in shared)
        {
            foreach (var network in networks)
            {
                if (network.Contains(address))
                    return $"{network} holds {address}, {what}: where it translates addresses, everybody behind it comes from there and "
                        + "may relay without a password. Name the clients' own networks, or let them log in";
            }
        }

        return null;
    }
}
