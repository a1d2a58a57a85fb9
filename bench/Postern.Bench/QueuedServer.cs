using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime;
using Postern.Relay.Admin;
using Postern.Relay.Delivery;
using Postern.Relay.Policy;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;

namespace Postern.Bench;

/// <summary>The server of <see cref="QueuedRounds"/>, as a process of its own, so that what it holds is its own: a whole relay.</summary>
internal static class QueuedServer
{
    public const string Verb = "queued-server";

    /// <param name="data">Its data directory, with the spool.</param>
    /// <param name="pause">Between two attempts of a message.</param>
    public static async Task<int> RunAsync(string data, int port, int dns, TimeSpan pause)
    {
        var begun = Stopwatch.GetTimestamp();
        await using var relay = await RelayService.StartAsync(OptionsOf(data, port, dns, pause), TimeProvider.System).ConfigureAwait(false);
        await SayAsync($"{relay.Endpoints[0].Endpoint.Port} {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.00}").ConfigureAwait(false);
        while (await Console.In.ReadLineAsync().ConfigureAwait(false) is { } asked)
        {
            if (asked == "list")
            {
                var asking = Stopwatch.GetTimestamp();
                var page = await new QueueQueries(relay.Spool).ListAsync(QueueFilter.Everything, limit: 100, after: null, CancellationToken.None).ConfigureAwait(false);
                await SayAsync($"{page.Total} {Stopwatch.GetElapsedTime(asking).TotalMilliseconds:0.0}").ConfigureAwait(false);
            }
            else if (asked == "destinations")
            {
                var all = relay.Deliveries.Statistics().Destinations;
                await SayAsync($"{all.Length} destinations at work: {all.Count(static d => d.Connections > 0)} with connections ({all.Sum(static d => d.Connections)}), {all.Count(static d => d.WaitsFor is not null)} wait for a host, {all.Sum(static d => d.Waiting)} transactions wait").ConfigureAwait(false);
            }
            else if (asked == "heap")
            {
                GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
                GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
                await SayAsync($"{GC.GetTotalMemory(forceFullCollection: true)}").ConfigureAwait(false);
            }
            else
            {
                var gc = GC.GetGCMemoryInfo(GCKind.Any);
                await SayAsync($"{relay.Totals.Deferred} {relay.Spool.Count} {gc.HeapSizeBytes} {gc.TotalCommittedBytes} {GC.CollectionCount(0)} {GC.CollectionCount(2)} {GC.GetTotalPauseDuration().TotalMilliseconds:0} {Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds:0.0} {relay.Deliveries.Statistics().Active} {LongestPause(GCKind.FullBlocking):0} {LongestPause(GCKind.Background):0} {LongestPause(GCKind.Ephemeral):0}").ConfigureAwait(false);
            }
        }

        return 0;
    }

    /// <summary>Of the last collection of a kind, in ms.</summary>
    private static double LongestPause(GCKind kind)
    {
        var longest = TimeSpan.Zero;
        foreach (var pause in GC.GetGCMemoryInfo(kind).PauseDurations)
            longest = pause > longest ? pause : longest;
        return longest.TotalMilliseconds;
    }

    private static Task SayAsync(FormattableString line) => Console.Out.WriteLineAsync(line.ToString(CultureInfo.InvariantCulture));

    private static RelayOptions OptionsOf(string data, int port, int dns, TimeSpan pause) => new()
    {
        Hostname = "bench.example.org",
        DataDirectory = data,
        Listeners = [new SmtpListenerOptions { Name = "bench", Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)], Tls = TlsMode.None, Auth = AuthMode.Off }],
        Policy = new PolicyOptions { Networks = [IPNetwork.Parse("127.0.0.0/8")], SenderRules = [], RecipientRules = ["permit_networks"] },
        Delivery = new DeliveryOptions
        {
            Hostname = Domain.Parse("bench.example.org"),
            Routes = RouteTable.Mx,
            MxPort = port,
            Resolvers = [new IPEndPoint(IPAddress.Loopback, dns)],
            AllowedMxNetworks = [IPNetwork.Parse("127.0.0.0/8")],
            Retry = RetrySchedule.Default with { First = pause, Factor = 1, Most = pause },
        },
    };
}
