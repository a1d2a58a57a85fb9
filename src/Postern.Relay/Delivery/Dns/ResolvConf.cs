using System.Collections.Immutable;
using System.Net;

namespace Postern.Relay.Delivery.Dns;

/// <summary>The resolvers of this host, as resolv.conf(5) lists them.</summary>
internal static class ResolvConf
{
    private const int Port = 53;
    private const int Most = 3;

    /// <summary>Loopback when the file names none or cannot be read, as the system's own resolver does.</summary>
    public static ImmutableArray<IPEndPoint> Read(string path = "/etc/resolv.conf")
    {
        try
        {
            return Parse(File.ReadLines(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Parse([]);
        }
    }

    public static ImmutableArray<IPEndPoint> Parse(IEnumerable<string> lines)
    {
        var found = lines
            .Select(static line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .Where(static words => words is ["nameserver", _, ..])
            .Select(static words => IPAddress.TryParse(words[1], out var address) ? new IPEndPoint(address, Port) : null)
            .OfType<IPEndPoint>()
            .Take(Most)
            .ToImmutableArray();
        return found.IsEmpty ? [new IPEndPoint(IPAddress.Loopback, Port)] : found;
    }
}
