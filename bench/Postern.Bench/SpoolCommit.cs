using BenchmarkDotNet.Attributes;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Smtp.Grammar;

namespace Postern.Bench;

/// <summary>Durable commits of 4 KiB messages into the segment log, by several producers at once; removed as soon as they are in.</summary>
[MemoryDiagnoser]
public class SpoolCommit
{
    private const int Messages = 2048;

    private readonly byte[] content = new byte[4096];
    private string directory = string.Empty;
    private SegmentSpool? spool;

    [Params(1, 16, 64)]
    public int Producers { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        directory = Directory.CreateTempSubdirectory("postern-bench-").FullName;
        spool = SegmentSpool.Open(new SegmentSpoolOptions { Directory = Path.Combine(directory, "spool") }, TimeProvider.System);
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
    {
        await spool!.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Benchmark(OperationsPerInvoke = Messages)]
    public Task CommitAsync() => Task.WhenAll(Enumerable.Range(0, Producers).Select(_ => Task.Run(ProduceAsync)));

    private async Task ProduceAsync()
    {
        for (var i = 0; i < Messages / Producers; i++)
        {
            var now = TimeProvider.System.GetUtcNow();
            var envelope = new Envelope
            {
                Id = QueueId.New(TimeProvider.System),
                ArrivedAt = now,
                Said = new(new ReversePath(Mailbox.Parse("a@example.org")), [Mailbox.Parse("b@example.net")]),
            };
            await using var draft = spool!.CreateDraft();
            await draft.AppendAsync(content, CancellationToken.None);
            if (await draft.CommitAsync(envelope, DeliveryState.Fresh(1, now), CancellationToken.None) is not Relay.Spool.SpoolCommit.Durable)
                throw new InvalidOperationException("not durable");
            await spool.RemoveAsync(envelope.Id, CancellationToken.None);
        }
    }
}
