using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Postern.Relay.Audit.Events;
using Postern.Web.Access;

namespace Postern.Web.Doors;

/// <summary>
/// The Unix socket in the data directory. Who is at the other end the kernel says: the caller's own word would prove nothing. Root and the
/// server's own user are the owner; whoever else the mode of the socket lets in is an operator.
/// </summary>
/// <param name="own">The server's user.</param>
internal sealed class SocketDoor(uint own) : Door
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;

    public override bool IsLocal => true;

    public override ValueTask<Caller> FindCallerAsync(HttpContext context)
    {
        if (context.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket || !OperatingSystem.IsLinux())
            return new(Of(user: null));
        Span<int> pidUidGid = stackalloc int[3];
        var length = socket.GetRawSocketOption(SolSocket, SoPeerCred, MemoryMarshal.AsBytes(pidUidGid));
        return new(Of(length == sizeof(int) * pidUidGid.Length ? (uint)pidUidGid[1] : null));
    }

    /// <param name="user">Null where the kernel does not say.</param>
    public Caller Of(uint? user)
    {
        var name = user is { } uid ? string.Create(CultureInfo.InvariantCulture, $"uid {uid}") : "unknown";
        return new Caller(name, user is 0 || user == own ? Role.Owner.Scopes : Role.Operator.Scopes, AdminDoor.Socket);
    }
}
