using Postern.Configuration;

namespace Postern.Hosting;

/// <summary>Finds whoever can answer for the queue.</summary>
internal static class QueueAccess
{
    /// <summary>The running server when there is one, else the spool itself.</summary>
    public static async ValueTask<IQueueAdmin> OpenAsync(PosternConfiguration configuration, TimeProvider clock, CancellationToken ct)
    {
        var socket = Path.Combine(configuration.Server.Data, DataDirectory.ControlSocketName);
        return await ControlClient.ConnectAsync(socket, ct) ?? throw new IOException($"no server listens on {socket}");
    }
}
