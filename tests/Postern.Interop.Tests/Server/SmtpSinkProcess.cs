using System.Net;
using System.Net.Sockets;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Server;

/// <summary>Postfix's smtp-sink, which writes each message to a file of its own (smtp-sink(1), <c>-d</c>).</summary>
internal sealed class SmtpSinkProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly RunningProgram process;

    private SmtpSinkProcess(RunningProgram process, string directory, int port)
    {
        this.process = process;
        Directory = directory;
        Port = port;
    }

    public string Directory { get; }

    public int Port { get; }

    /// <summary>Null where it is not installed. It cannot be asked for a free port, so one is found for it, more than once if need be.</summary>
    public static async Task<SmtpSinkProcess?> StartAsync(string directory)
    {
        if (Peer.Find("smtp-sink") is not { } program)
            return null;
        while (true)
        {
            var port = FreePort();
            // As root it wants to be told whom to become, even if that is root.
            string[] identity = Environment.IsPrivilegedProcess ? ["-u", "root"] : [];
            var started = RunningProgram.Start([program, .. identity, "-d", Path.Combine(directory, "message."), $"inet:127.0.0.1:{port}", "100"]);
            if (await IsListeningAsync(started, port))
                return new SmtpSinkProcess(started, directory, port);
            await started.DisposeAsync();
        }
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    private static int FreePort()
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
