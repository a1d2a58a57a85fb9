using System.Globalization;
using Postern.Relay.Audit;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Bench;

/// <summary>What a message costs while it waits in the queue: heap of the spool and of the scheduler, and how long both take to start.</summary>
internal static class QueuedCost
{
    private const int Destinations = 10_000;

    public static async Task RunAsync(int messages)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("postern-queued-").FullName;
        try
        {
            await FillAsync(directory, messages);
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
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{spool.Count} messages for {Destinations} destinations, waiting for their time"));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"octets of heap a message: spool {(held - empty) / (double)messages:0}, scheduler {(all - held) / (double)messages:0}"));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"opened in {opened.TotalSeconds:0.00} s, scheduler started in {started.TotalSeconds:0.00} s; RSS {Environment.WorkingSet >> 20} MiB"));
        }
        finally
        {
            System.IO.Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task FillAsync(string directory, int messages)
    {
        await using var spool = await SpoolOptions.Local(directory).OpenAsync(TimeProvider.System, CancellationToken.None);
        var content = new byte[200];
        await Parallel.ForAsync(0, messages, new ParallelOptions { MaxDegreeOfParallelism = 256 }, async (i, ct) =>
        {
            var now = TimeProvider.System.GetUtcNow();
            var envelope = new Envelope
            {
                Id = QueueId.New(TimeProvider.System),
                ArrivedAt = now,
                Said = new(
                    new ReversePath(Mailbox.Parse("newsletter@example.org")), [Mailbox.Parse(string.Create(CultureInfo.InvariantCulture, $"subscriber{i}@d{i % Destinations}.example.com"))]),
                Login = "newsletter@example.org",
                Client = System.Net.IPAddress.Parse("192.0.2.7"),
                Listener = "submission",
            };
            await using var draft = spool.CreateDraft();
            await draft.AppendAsync(content, ct);
            await draft.CommitAsync(envelope, DeliveryState.Fresh(1, now) with { Attempts = 1, NextAttempt = now.AddHours(2) }, ct);
        });
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
