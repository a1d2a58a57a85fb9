using System.Globalization;
using Postern.Relay.Audit;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Bench;

/// <summary>What a message costs while it waits in the queue: heap of the spool and of the scheduler, and how long both take to start.</summary>
internal static class QueuedCost
{
    public const string FillVerb = "queued-fill";

    /// <param name="rounds">Of attempts, by a server of its own (<see cref="QueuedRounds"/>); 0 for none.</param>
    /// <param name="pause">Between two attempts of a message.</param>
    public static async Task RunAsync(int messages, int rounds, TimeSpan pause)
    {
        var data = System.IO.Directory.CreateTempSubdirectory("postern-queued-").FullName;
        try
        {
            var directory = RelayOptions.SpoolDirectory(data);
            var begun = TimeProvider.System.GetTimestamp();
            // In a process of its own: what filling leaves behind is nobody's cost.
            using (var filling = await ChildProcess.StartAsync(FillVerb, directory, messages.ToString(CultureInfo.InvariantCulture), (rounds > 0 ? pause : TimeSpan.FromHours(2)).TotalSeconds.ToString(CultureInfo.InvariantCulture)))
                await filling.EndAsync();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"filled in {TimeProvider.System.GetElapsedTime(begun).TotalSeconds:0} s; the spool takes {new System.IO.DirectoryInfo(directory).GetFiles().Sum(static f => f.Length) >> 20} MiB"));
            if (rounds > 0)
                await QueuedRounds.RunAsync(data, messages, rounds, pause);
            else
                await MeasureAsync(directory, messages);
        }
        finally
        {
            System.IO.Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>The process that fills a spool.</summary>
    public static async Task<int> FillAsync(string directory, int messages, TimeSpan pause)
    {
        await Console.Out.WriteLineAsync("begun");
        await using var spool = await SpoolOptions.Local(directory).OpenAsync(TimeProvider.System, CancellationToken.None);
        var content = new byte[200];
        await Parallel.ForAsync(0, messages, new ParallelOptions { MaxDegreeOfParallelism = 256 }, async (i, ct) =>
        {
            var now = TimeProvider.System.GetUtcNow();
            var envelope = new Envelope
            {
                Id = QueueId.New(TimeProvider.System),
                // What the log can have lost of its end is told again at the start, and this is not that.
                ArrivedAt = now - TimeSpan.FromHours(2),
                Said = new(
                    new ReversePath(Mailbox.Parse("newsletter@example.org")),
                    [Mailbox.Parse($"subscriber{i}@{QueuedHops.DomainOf(QueuedHops.Living + (i % (QueuedHops.Destinations - QueuedHops.Living)))}")]),
                Login = "newsletter@example.org",
                Client = System.Net.IPAddress.Parse("192.0.2.7"),
                Listener = "submission",
            };
            await using var draft = spool.CreateDraft();
            await draft.AppendAsync(content, ct);
            var state = DeliveryState.Fresh(1, now) with { Attempts = 1, NextAttempt = now + (pause * (1 + Random.Shared.NextDouble())) };
            await draft.CommitAsync(envelope, state, ct);
        });
        return 0;
    }

    private static async Task MeasureAsync(string directory, int messages)
    {
        var (empty, begun) = (Heap(), TimeProvider.System.GetTimestamp());
        await using var spool = await SpoolOptions.Local(directory).OpenAsync(TimeProvider.System, CancellationToken.None);
        var opened = TimeProvider.System.GetElapsedTime(begun);
        var held = Heap();
        begun = TimeProvider.System.GetTimestamp();
        var options = new DeliveryOptions { Hostname = Domain.Parse("bench.example.org"), Routes = RouteTable.Mx };
        await using var scheduler = new DeliveryScheduler(spool, new Nowhere(), options, NoAuditLog.Instance, TimeProvider.System);
        await scheduler.StartAsync(newest: null, CancellationToken.None);
        var started = TimeProvider.System.GetElapsedTime(begun);
        var all = Heap();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{spool.Count} messages for {QueuedHops.Destinations - QueuedHops.Living} destinations, waiting for their time"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"octets of heap a message: spool {(held - empty) / (double)messages:0}, scheduler {(all - held) / (double)messages:0}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"opened in {opened.TotalSeconds:0.00} s, scheduler started in {started.TotalSeconds:0.00} s; RSS {Environment.WorkingSet >> 20} MiB"));
    }

    private static long Heap()
    {
        GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private sealed class Nowhere : IDeliveryTransport
    {
        public IDeliveryLane OpenLane(NextHop hop) => throw new InvalidOperationException("nothing is due");
    }
}
