using System.Diagnostics;
using System.Globalization;
using System.Net;
using Postern.Relay.Runtime;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Bench;

/// <summary>
/// A long queue for destinations of which 9,900 of 10,000 are dead, over rounds of attempts: what the server holds after each, how long live mail
/// takes meanwhile, from its first command to the exchanger, how long the slowest transaction of a client takes, and what a deferral costs in
/// the log. Time is the real one; every message is tried again after a pause that is the same for all.
/// </summary>
internal static class QueuedRounds
{
    private const int Senders = 4;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    public static async Task RunAsync(string data, int messages, int rounds, TimeSpan pause)
    {
        using var hops = await ChildProcess.StartAsync(QueuedHops.Verb).ConfigureAwait(false);
        var ports = hops.Greeting.Split(' ');
        using var server = await ChildProcess.StartAsync(QueuedServer.Verb, data, ports[0], ports[1], pause.TotalSeconds.ToString(CultureInfo.InvariantCulture)).ConfigureAwait(false);
        var begun = server.Greeting.Split(' ');
        Console.WriteLine($"started in {begun[1]} s, RSS {ProcessMemory.Resident(server.Id) >> 20} MiB, at most {ProcessMemory.Peak(server.Id) >> 20} MiB while it started");
        Console.WriteLine($"{"round",5} {"tried",6} {"active",6} {"RSS MiB",8} {"peak",6} {"heap",6} {"commit",6} {"gen0",6} {"gen2",5} {"pause ms",9} {"last f/b/e",12} {"CPU s",7} {"live",6} {"p50 ms",8} {"p99 ms",8} {"max ms",8} {"SMTP p99",9} {"max",8} {"list ms",8} {"log o/d",8}");
        using var end = new CancellationTokenSource();
        var transactions = new Times();
        var endpoint = new IPEndPoint(IPAddress.Loopback, int.Parse(begun[0], CultureInfo.InvariantCulture));
        var senders = Enumerable.Range(0, Senders).Select(i => Task.Run(() => SendAsync(endpoint, i, transactions, end.Token))).ToList();
        var (told, logged, roundBegun) = (0L, LogOctets(data), Stopwatch.GetTimestamp());
        for (var round = 1; round <= rounds; round++)
        {
            // Everything is due again after the pause. A round that took longer is told of by its figures.
            if (pause - Stopwatch.GetElapsedTime(roundBegun) is var left && left > TimeSpan.Zero)
                await Task.Delay(left).ConfigureAwait(false);
            var state = (await server.AskAsync("state").ConfigureAwait(false)).Split(' ');
            var deferred = long.Parse(state[0], CultureInfo.InvariantCulture);
            var list = (await server.AskAsync("list").ConfigureAwait(false)).Split(' ');
            var live = (await hops.AskAsync("report").ConfigureAwait(false)).Split(' ');
            var octets = LogOctets(data);
            var (p99, max) = transactions.Take();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{round,5} {(deferred - told) * 100.0 / messages,5:0}% {state[8],6} {ProcessMemory.Resident(server.Id) >> 20,8} {ProcessMemory.Peak(server.Id) >> 20,6} {long.Parse(state[2], CultureInfo.InvariantCulture) >> 20,6} {long.Parse(state[3], CultureInfo.InvariantCulture) >> 20,6} {state[4],6} {state[5],5} {state[6],9} {$"{state[9]}/{state[10]}/{state[11]}",12} {state[7],7} {live[0],6} {live[1],8} {live[2],8} {live[3],8} {p99,9:0.0} {max,8:0.0} {list[1],8} {(octets - logged) / (double)Math.Max(1, deferred - told),8:0}"));
            if (Environment.GetEnvironmentVariable("POSTERN_BENCH_VERBOSE") is not null)
                Console.WriteLine(await server.AskAsync("destinations").ConfigureAwait(false));
            (told, logged, roundBegun) = (deferred, octets, Stopwatch.GetTimestamp());
            ProcessMemory.ForgetPeak(server.Id);
        }

        await end.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(senders).ConfigureAwait(false);
        var heap = long.Parse(await server.AskAsync("heap").ConfigureAwait(false), CultureInfo.InvariantCulture);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"heap at the end, compacted: {heap >> 20} MiB, {heap / (double)messages:0} octets a message, all that a server holds included; RSS {ProcessMemory.Resident(server.Id) >> 20} MiB"));
        await server.EndAsync().ConfigureAwait(false);
    }

    private static long LogOctets(string data) =>
        new DirectoryInfo(RelayOptions.DefaultLogDirectory(data)).GetFiles("mail-*").Sum(static file => file.Length);

    /// <summary>A client that stays, with a message for a living destination every now and then.</summary>
    private static async Task SendAsync(IPEndPoint server, int sender, Times times, CancellationToken ct)
    {
        await using var client = await SmtpDialogue.GreetAsync(server).ConfigureAwait(false);
        for (var i = sender; !ct.IsCancellationRequested; i += Senders)
        {
            var sent = Stopwatch.GetTimestamp();
            var content = string.Create(CultureInfo.InvariantCulture, $"{QueuedHops.SentField}{sent}\r\nSubject: live\r\n\r\nlive\r\n");
            await client.SendAsync($"live{sender}@example.org", $"b@{QueuedHops.DomainOf(i % QueuedHops.Living)}", content).ConfigureAwait(false);
            times.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            await Task.Delay(Pace, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private sealed class Times
    {
        private readonly Lock gate = new();
        private List<double> all = [];

        public void Add(double time)
        {
            lock (gate)
                all.Add(time);
        }

        /// <summary>Of those since the last call, in milliseconds.</summary>
        public (double P99, double Max) Take()
        {
            List<double> seen;
            lock (gate)
                (seen, all) = (all, []);
            seen.Sort();
            return (Percentiles.Of(seen, 0.99), Percentiles.Of(seen, 1));
        }
    }
}
