using System.Net;
using System.Net.Sockets;
using BenchmarkDotNet.Attributes;
using Postern.Smtp;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Bench;

/// <summary>Pipelined transactions of 4 KiB over loopback against the library alone: no TLS, no disk.</summary>
[MemoryDiagnoser]
public class WholeSession
{
    private const int Messages = 100;

    private readonly byte[] group = "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@accepted.example>\r\nDATA\r\n"u8.ToArray();
    private readonly byte[] input = new byte[4096];
    private byte[] content = [];
    private SmtpServer? server;
    private Socket? client;

    [GlobalSetup]
    public async Task SetupAsync()
    {
        content = [.. Enumerable.Repeat("Sixty-two octets of text and the end of a line, again and again.\r\n"u8.ToArray(), 62).SelectMany(static l => l), .. ".\r\n"u8];
        server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "bench.example.org",
            Listeners = [new SmtpListenerOptions { Name = "bench", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Off }],
            Policy = new TestPolicy(),
            Store = new DiscardingStore(),
        });
        server.Start();
        client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(server.Endpoints[0].Endpoint);
        await ReadLinesAsync(1);
        await client.SendAsync("HELO bench\r\n"u8.ToArray());
        await ReadLinesAsync(1);
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
    {
        client!.Dispose();
        await server!.DisposeAsync();
    }

    [Benchmark(OperationsPerInvoke = Messages)]
    public async Task TransactionAsync()
    {
        for (var i = 0; i < Messages; i++)
        {
            await client!.SendAsync(group);
            await ReadLinesAsync(3);
            await client.SendAsync(content);
            await ReadLinesAsync(1);
        }
    }

    private async Task ReadLinesAsync(int lines)
    {
        for (var seen = 0; seen < lines;)
        {
            var read = await client!.ReceiveAsync(input);
            seen += input.AsSpan(0, read).Count((byte)'\n');
        }
    }
}
