using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Delivery;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Bench;

/// <summary>
/// What a stranger makes a relay write: recipients that are refused, recipients that are permitted and forgotten again, small messages; as fast as they
/// go. Beside it somebody logs in and sends. Fails where a megabyte a second makes more than two of log, or where the other is refused.
/// </summary>
internal static class StrangerFlood
{
    private const int Sessions = 4;
    private const int Recipients = 98;
    private const string User = "lisa@example.org";
    private const double MostRatio = 2;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync()
    {
        Console.WriteLine($"{"a stranger's",-24} {"MB/s in",9} {"MB/s of log",12} {"ratio",8} {"others sent",12} {"refused",8}");
        var isBounded = true;
        isBounded &= await MeasureAsync("refused recipients", Group("MAIL FROM:<x@far.example>\r\n", "RCPT TO:<a@b.example>\r\n"), isMessage: false);
        isBounded &= await MeasureAsync("recipients and RSET", Group("MAIL FROM:<>\r\n", "RCPT TO:<a@example.org>\r\n") + "RSET\r\n", isMessage: false);
        isBounded &= await MeasureAsync("small messages", "MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n", isMessage: true);
        return isBounded ? 0 : 1;
    }

    private static string Group(string mail, string recipient) => mail + string.Concat(Enumerable.Repeat(recipient, Recipients));

    private static async Task<bool> MeasureAsync(string name, string group, bool isMessage)
    {
        var folder = Directory.CreateTempSubdirectory("postern-bench-");
        try
        {
            await using var relay = await StartAsync(folder.FullName, out var password);
            var endpoint = relay.Endpoints[0].Endpoint;
            using var end = new CancellationTokenSource(Duration);
            var started = Stopwatch.GetTimestamp();
            var floods = Enumerable.Range(0, Sessions).Select(_ => Task.Run(() => FloodAsync(endpoint, group, isMessage, end.Token))).ToList();
            var (sent, refused) = await SendAsync(endpoint, password, end.Token);
            var octets = (await Task.WhenAll(floods)).Sum();
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            await relay.StopAsync(CancellationToken.None);
            var log = new DirectoryInfo(RelayOptions.DefaultLogDirectory(folder.FullName)).GetFiles("*.jsonl").Sum(static f => File.ReadLines(f.FullName).Where(IsOfTheStranger).Sum(static line => line.Length + 1L));
            Console.WriteLine($"{name,-24} {octets / seconds / 1e6,9:0.00} {log / seconds / 1e6,12:0.000} {(double)log / octets,8:0.000} {sent,12} {refused,8}");
            return log <= MostRatio * Math.Max(octets, seconds * 1e6) && refused == 0 && sent > 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>All but what the one who logs in makes: he comes from another address, and sends elsewhere.</summary>
    private static bool IsOfTheStranger(string line) => !line.Contains("\"client\":\"127.0.0.1\"", StringComparison.Ordinal) && !line.Contains("b@far.example", StringComparison.Ordinal);

    private static Task<RelayService> StartAsync(string data, out string password)
    {
        using (var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(RelayOptions.DirectoryFile(data))))
        {
            var commands = new DirectoryCommands(directory, TimeProvider.System);
            commands.Accounts.Add(new AddAccount(User, [User], []));
            password = ((AdminOutcome.Issued)commands.Credentials.Add(new AddCredential(User))).Generated!.Reveal();
        }

        return RelayService.StartAsync(
            new RelayOptions
            {
                Hostname = "bench.example.org",
                DataDirectory = data,
                Listeners = [new SmtpListenerOptions { Name = "bench", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Always }],
                Policy = new PolicyOptions { Domains = [Domain.Parse("example.org")], SenderRules = [], RecipientRules = ["permit_authenticated", "reject_unauth_destination"] },
                Delivery = new DeliveryOptions { Hostname = Domain.Parse("bench.example.org") },
            },
            TimeProvider.System);
    }

    /// <summary>The octets that were sent; a session that is closed is followed by another.</summary>
    private static async Task<long> FloodAsync(IPEndPoint server, string group, bool isMessage, CancellationToken ct)
    {
        var octets = 0L;
        var input = new byte[64 * 1024];
        var (commands, content) = (Encoding.ASCII.GetBytes(group), Encoding.ASCII.GetBytes(".\r\n"));
        while (!ct.IsCancellationRequested)
        {
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                client.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
                await client.ConnectAsync(server, ct);
                await ReadLinesAsync(client, input, 1, ct);
                await client.SendAsync("HELO x\r\n"u8.ToArray(), ct);
                await ReadLinesAsync(client, input, 1, ct);
                while (true)
                {
                    await client.SendAsync(commands, ct);
                    octets += commands.Length;
                    await ReadLinesAsync(client, input, commands.Count(static o => o == '\n'), ct);
                    if (!isMessage)
                        continue;
                    await client.SendAsync(content, ct);
                    octets += content.Length;
                    await ReadLinesAsync(client, input, 1, ct);
                }
            }
            catch (Exception e) when (e is SocketException or EndOfStreamException or OperationCanceledException)
            {
                // The next session goes on.
            }
        }

        return octets;
    }

    private static async Task<(int Sent, int Refused)> SendAsync(IPEndPoint server, string password, CancellationToken ct)
    {
        var (sent, refused) = (0, 0);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await using var client = await SmtpDialogue.GreetAsync(server);
                await client.LogInAsync(User, password);
                var reply = await client.SendAsync(User, "b@far.example", "Subject: x\r\n\r\nx\r\n");
                (sent, refused) = reply.StartsWith("250", StringComparison.Ordinal) ? (sent + 1, refused) : (sent, refused + 1);
            }
            catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
            {
                refused++;
            }
        }

        return (sent, refused);
    }

    private static async Task ReadLinesAsync(Socket client, byte[] input, int lines, CancellationToken ct)
    {
        for (var seen = 0; seen < lines;)
        {
            var read = await client.ReceiveAsync(input, ct);
            if (read == 0)
                throw new EndOfStreamException();
            seen += input.AsSpan(0, read).Count((byte)'\n');
        }
    }
}
