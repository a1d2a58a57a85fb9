using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Smtp;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Real connections that log in by a store which takes its time.</summary>
public sealed class SlowStoreTests
{
    private const int Sessions = 1000;

    [Fact]
    public async Task While_1000_sessions_wait_for_a_store_nobody_else_waits_and_half_of_them_may_leave()
    {
        if (!OperatingSystem.IsLinux())
            return; // elsewhere not all of 127.0.0.0/8 is there
        using var fixture = new DirectoryFixture();
        using var pool = new HashingPool(new HashingPoolOptions { Threads = 1 });
        var far = new FarStore();
        for (var i = 0; i < Sessions; i++)
            far.Add($"user{i}", "skateboard");
        var password = fixture.AddAccount("lisa");
        var verifiers = new AccountVerifiers([fixture.Store(), far.Bound(fixture.Clock, new StoreTerms { MostQuestions = Sessions })], pool, new VerificationCache(fixture.Clock), fixture.Clock)
        {
            Directory = fixture.Database,
        };
        await using var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Always }],
            Policy = new TestPolicy(),
            Store = new MemoryStore(),
            Sasl = verifiers.Context,
        });
        server.Start();
        var endpoint = server.Endpoints[0].Endpoint;

        far.Close();
        var clients = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(i => BeginAsync(endpoint, $"127.{1 + (i % 200)}.0.1", $"user{i}", "skateboard")));
        await UntilAsync(() => far.Asked == Sessions);
        Assert.InRange(ThreadPool.ThreadCount, 1, 200); // were one held for each, it would be a thousand

        using (var lisa = await BeginAsync(endpoint, "127.250.0.1", "lisa", password))
            Assert.StartsWith("235 ", await lisa.Reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);

        foreach (var leaving in clients[..(Sessions / 2)])
            leaving.Dispose();
        await UntilAsync(() => far.Left == Sessions / 2); // nobody waits for those answers, and no deadline has passed
        far.Open();
        foreach (var staying in clients[(Sessions / 2)..])
        {
            Assert.StartsWith("235 ", await staying.Reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            staying.Dispose();
        }

        await server.StopAsync(CancellationToken.None);
    }

    /// <summary>Says hello and sends a login by PLAIN, without waiting for the answer.</summary>
    private static async Task<Client> BeginAsync(IPEndPoint server, string from, string user, string password)
    {
        var client = await Client.ConnectAsync(server, from);
        await client.Reader.ReadLineAsync(TestContext.Current.CancellationToken);
        await client.SendAsync("EHLO client.example");
        while (await client.Reader.ReadLineAsync(TestContext.Current.CancellationToken) is ['2', '5', '0', '-', ..])
        {
        }

        await client.SendAsync($"AUTH PLAIN {Convert.ToBase64String(Encoding.ASCII.GetBytes($"\0{user}\0{password}"))}");
        return client;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(10, TestContext.Current.CancellationToken);
    }

    private sealed class Client(Socket socket, NetworkStream stream) : IDisposable
    {
        public StreamReader Reader { get; } = new(stream, Encoding.Latin1);

        public static async Task<Client> ConnectAsync(IPEndPoint server, string from)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
            await socket.ConnectAsync(server, TestContext.Current.CancellationToken);
            return new Client(socket, new NetworkStream(socket));
        }

        public ValueTask SendAsync(string line) => stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"), TestContext.Current.CancellationToken);

        public void Dispose()
        {
            Reader.Dispose();
            stream.Dispose();
            socket.Dispose();
        }
    }
}
