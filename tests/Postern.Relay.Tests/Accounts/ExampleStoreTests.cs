using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Policy;
using Postern.Sasl;
using Postern.Smtp;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts;

/// <summary>A store as the guide says it is written, over a real connection: its users log in and send without a row in the directory.</summary>
public sealed class ExampleStoreTests : IAsyncLifetime
{
    private readonly DirectoryFixture fixture = new();
    private readonly TcpListener other = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource end = new();
    private Task serving = Task.CompletedTask;

    public ValueTask InitializeAsync()
    {
        other.Start();
        serving = ServeAsync();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        other.Stop();
        await serving;
        end.Dispose();
        fixture.Dispose();
    }

    [Fact]
    public async Task A_user_of_a_store_written_by_the_guide_logs_in_and_sends_as_itself_alone()
    {
        var common = new AccountSource($"example://{other.LocalEndpoint}", "mail.example.org");
        Assert.Null(ExampleStore.Kind.WhyNot(common));
        var store = ExampleStore.Kind.Open(fixture.StoreContext, ExampleStore.Kind.Read(new StoreKeys(("token", "secret-of-ours"), ("domain", "example.org")), common));
        using var pool = new HashingPool(new HashingPoolOptions { Threads = 1 });
        var verifiers = new AccountVerifiers([fixture.Store(), AccountStores.Bound(store, common.Terms, fixture.Clock)], pool, new VerificationCache(fixture.Clock), fixture.Clock) { Directory = fixture.Database };
        Assert.Equal(["PLAIN", "LOGIN"], verifiers.UsualMechanisms.Intersect(["PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"]));
        var messages = new MemoryStore();
        await using var server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = "mail.example.org",
            Listeners = [new SmtpListenerOptions { Name = "test", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Always }],
            Policy = new RelayPolicy(new PolicyOptions(), verifiers.Accounts!, fixture.Audit, fixture.Clock),
            Store = messages,
            Sasl = verifiers.Context,
        });
        server.Start();

        await using (var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint))
        {
            await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("lisa", "wrong")}", "535");
            await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("nobody", "tiger")}", "535");
            await client.LogInAsync("lisa", "tiger");
            await client.SayAsync("MAIL FROM:<bart@example.org>", "553");
            await client.SendAsync("lisa@example.org", "milhouse@far.example", "Subject: hello\r\n\r\nhello\r\n");
        }

        Assert.Single(messages.Messages);
        other.Stop();
        fixture.Clock.Advance(common.Terms.Remember);
        await using (var client = await SmtpDialogue.GreetAsync(server.Endpoints[0].Endpoint))
            await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("lisa", "tiger")}", "454");
        await server.StopAsync(CancellationToken.None);
    }

    /// <summary>The other side: it knows lisa@example.org.</summary>
    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await other.AcceptTcpClientAsync(end.Token);
                using var reader = new StreamReader(client.GetStream());
                var answer = (await reader.ReadLineAsync(end.Token))?.Split(' ') switch
                {
                    ["secret-of-ours", "find", var name] => Text(name) == "lisa@example.org" ? "user lisa@example.org" : "none",
                    ["secret-of-ours", "check", var name, var password] => (Text(name), Text(password)) == ("lisa@example.org", "tiger") ? "yes" : "no",
                    _ => "what?",
                };
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{answer}\n"), end.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It is stopped.
        }

        static string Text(string base64) => StrictBase64.TryDecode(Encoding.ASCII.GetBytes(base64), out var octets) ? Encoding.UTF8.GetString(octets) : string.Empty;
    }
}
