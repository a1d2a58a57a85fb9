using System.Net;
using System.Net.Sockets;
using Postern.Testing.Processes;

namespace Postern.Interop.Tests.Policy;

/// <summary>
/// A policy program that speaks by its standard input and output, as Postfix's spawn(8) has it: one for each connection to a port.
/// </summary>
internal sealed class SpawnedPolicy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly string[] command;
    private readonly Task serving;

    public SpawnedPolicy(params string[] command)
    {
        this.command = command;
        listener.Start();
        serving = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await serving;
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(ServeAsync(await listener.AcceptTcpClientAsync()));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It was stopped; the clients end their connections themselves.
        }

        await Task.WhenAll(connections);
    }

    private async Task ServeAsync(TcpClient client)
    {
        await using var program = RunningProgram.Start(command);
        using (client)
        using (var reader = new StreamReader(client.GetStream()))
        await using (var writer = new StreamWriter(client.GetStream()))
        {
            var said = 0;
            while (await reader.ReadLineAsync() is { } line)
            {
                await program.Input.WriteAsync($"{line}\n");
                if (line.Length > 0)
                    continue;
                await program.Input.FlushAsync();
                var after = said;
                var answer = await program.Output.FindAsync(text => text.StartsWith("action=", StringComparison.Ordinal) && after-- == 0);
                said++;
                await writer.WriteAsync($"{answer}\n\n");
                await writer.FlushAsync();
            }
        }
    }
}
