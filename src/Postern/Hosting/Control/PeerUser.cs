using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Postern.Hosting.Control;

/// <summary>Who is at the other end of the control socket, as the kernel says: the caller's own word would prove nothing.</summary>
internal static class PeerUser
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;

    /// <summary><c>uid 1000</c>; <c>unknown</c> where the kernel does not say.</summary>
    public static string Of(HttpContext context)
    {
        if (context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket || !OperatingSystem.IsLinux())
            return "unknown";
        Span<int> pidUidGid = stackalloc int[3];
        var length = socket.GetRawSocketOption(SolSocket, SoPeerCred, MemoryMarshal.AsBytes(pidUidGid));
        return length == sizeof(int) * pidUidGid.Length
            ? string.Create(CultureInfo.InvariantCulture, $"uid {(uint)pidUidGid[1]}")
            : "unknown";
    }
}
