using System.Net;
using System.Net.Sockets;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>A program that listens and cannot be asked for a free port: one is found for it, more than once if need be.</summary>
internal static class ListeningProgram
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <param name="command">The command line, for the port that it is to listen on at 127.0.0.1.</param>
    public static async Task<(RunningProgram Process, int Port)> StartAsync(Func<int, Task<string[]>> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        while (true)
        {
            var port = FreePort();
            var started = RunningProgram.Start(await command(port), environment: environment);
            if (await IsListeningAsync(started, port))
                return (started, port);
            await started.DisposeAsync();
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>False when it has ended: the port was taken in between.</summary>
    private static async Task<bool> IsListeningAsync(RunningProgram process, int port)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!process.HasExited)
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, port, patience.Token);
                return true;
            }
            catch (SocketException)
            {
                // The program does not tell when it listens: asking is the only way, and it must get the processor to come to it.
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, patience.Token);
            }
        }

        return false;
    }
}
