using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Smtp;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

/// <summary>Real connections from many addresses of the loopback network.</summary>
public sealed class StarvationTests
{
    [Fact]
    public async Task Row_190_a_fresh_login_succeeds_while_80_connections_from_rotating_networks_log_in_with_junk()
    {
        if (!OperatingSystem.IsLinux())
            return; // elsewhere not all of 127.0.0.0/8 is there
        using var hash = new GatedHash(matches: false);
        using var pool = new HashingPool(new HashingPoolOptions { Threads = 1, QueueLength = 64 }, new ManualClock());
        var verifiers = new AccountVerifiers([new JunkStore(hash)], pool, new VerificationCache(new ManualClock()), new ManualClock());
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

        var junk = new List<Task<string>>();
        for (var i = 0; i < 80; i++)
        {
            junk.Add(LogInAsync(endpoint, $"127.{1 + (i % 8)}.{i}.1", $"junk{i}", "junk"));
            if (i == 0)
                await hash.StartedAsync(); // it has left the queue
        }

        var waiting = junk.ToList();
        while (waiting.Count > 65) // one is hashed, 64 wait, the others have been told
            waiting.Remove(await Task.WhenAny(waiting));
        Assert.Equal(1.0, pool.Fill);

        var fresh = LogInAsync(endpoint, "127.200.0.1", "lisa", "tiger");
        while (waiting.Count > 64) // one of the flood has given way to it
            waiting.Remove(await Task.WhenAny(waiting));
        hash.Allow(80);
        Assert.StartsWith("235 ", await fresh, StringComparison.Ordinal);
        Assert.Equal([("454", 16), ("535", 64)], (await Task.WhenAll(junk)).CountBy(static r => r[..3]).Select(static r => (r.Key, r.Value)).Order());
        await server.StopAsync(CancellationToken.None);
    }

    /// <summary>Says hello and logs in by PLAIN; the reply.</summary>
    private static async Task<string> LogInAsync(IPEndPoint server, string from, string user, string password)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await socket.ConnectAsync(server, late.Token);
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        await reader.ReadLineAsync(late.Token);
        await stream.WriteAsync(Encoding.ASCII.GetBytes("EHLO client.example\r\n"), late.Token);
        while (await reader.ReadLineAsync(late.Token) is ['2', '5', '0', '-', ..])
        {
        }

        await stream.WriteAsync(Encoding.ASCII.GetBytes($"AUTH PLAIN {Convert.ToBase64String(Encoding.ASCII.GetBytes($"\0{user}\0{password}"))}\r\n"), late.Token);
        return await reader.ReadLineAsync(late.Token) ?? "closed";
    }

    /// <summary>Knows lisa, and everybody else with a hash that the test lets go.</summary>
    private sealed class JunkStore(GatedHash gated) : IAccountStore
    {
        private readonly StoredLogin lisa = new("lisa", refusal: null, [new StoredCredential("c", ScramHash.Create(new Secret("tiger"), 1, [1]), ExpiresAt: null)]);

        public string Name => "junk";

        public StoredForms Forms => StoredForms.Password;

        public StoredForms CommonForms => StoredForms.Password;

        public HashCosts Costs => HashCosts.None;

        public string Realm => "mail.example.org";

        public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct) => new((user == "lisa" ? lisa : gated.Login(user)).ToAnswer());
    }
}
