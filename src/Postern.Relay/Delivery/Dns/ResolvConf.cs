using System.Collections.Immutable;
using System.Net;

namespace Postern.Relay.Delivery.Dns;

/// <summary>The resolvers of this host, as resolv.conf(5) lists them.</summary>
internal static class ResolvConf
{
    public const string Path = "/etc/resolv.conf";

    private const int Port = 53;
    private const int Most = 3;

    /// <summary>
    /// Loopback when there is no such file or it names none, as the system's own resolver does. One that cannot be read is neither: see the
    /// problem.
    /// </summary>
    public static (ImmutableArray<IPEndPoint> Servers, string? Problem) Read(string path)
    {
        try
        {
            return (Parse(File.ReadLines(path)), null);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return (Parse([]), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ([], $"{path} cannot be read: {e.Message}");
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
