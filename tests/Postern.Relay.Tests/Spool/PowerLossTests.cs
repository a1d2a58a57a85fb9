using System.Collections.Concurrent;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;

namespace Postern.Relay.Tests.Spool;

public sealed class PowerLossTests
{
    private const int Writers = 4;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Whenever_the_power_fails_what_was_promised_is_kept(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 40; round++)
            await OneLifeAsync(random.Next(), random.Next(1, 400));
    }

    private static async Task OneLifeAsync(int seed, int calls)
    {
        using var directory = new TemporaryDirectory();
        var attic = Directory.CreateDirectory(Path.Combine(directory.Path, "attic")).FullName;
        var options = new SegmentSpoolOptions { Directory = directory.Spool, SegmentSize = 48 << 10, Reserve = 0 };
        var written = new ConcurrentDictionary<QueueId, byte[]>();
        var promised = new ConcurrentDictionary<QueueId, (int Acknowledged, int Tried)>();
        var files = new VolatileFiles(attic, new Random(seed), calls);
        await using (var spool = SegmentSpool.Open(options, TimeProvider.System, files))
        {
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(
                writer => Task.Run(() => WriteAsync(spool, new Random(seed + writer), written, promised), Ct)));
        }

        await using var again = SegmentSpool.Open(options, TimeProvider.System);
        foreach (var (id, (acknowledged, tried)) in promised)
        {
            var entry = again.Find(id);
            Assert.True(entry is not null, $"seed {seed}, power out at call {calls}: a message is lost");
            Assert.True(entry.State.Attempts == acknowledged || entry.State.Attempts == tried);
        }

        foreach (var entry in again.List())
            Assert.Equal(written[entry.Envelope.Id], await Samples.ReadAsync(again, entry.Envelope.Id));
    }

    private static async Task WriteAsync(
        SegmentSpool spool, Random random, ConcurrentDictionary<QueueId, byte[]> written, ConcurrentDictionary<QueueId, (int, int)> promised)
    {
        var mine = new List<QueueId>();
        for (var i = 1; ; i++)
        {
            var envelope = Samples.Envelope();
            var content = Samples.Content(random.Next(10) == 0 ? 130_000 : random.Next(9000), random.Next());
            written[envelope.Id] = content;
            if (await Samples.TryCommitAsync(spool, content, envelope) is not SpoolCommit.Durable)
                return;
            promised[envelope.Id] = (0, 0);
            mine.Add(envelope.Id);
            if (mine.Count > 3)
            {
                var old = mine[random.Next(mine.Count)];
                mine.Remove(old);
                promised.TryRemove(old, out _);
                spool.Remove(old);
            }

            var touched = mine[random.Next(mine.Count)];
            var (acknowledged, _) = promised[touched];
            promised[touched] = (acknowledged, i);
            try
            {
                Assert.True(await spool.UpdateAsync(touched, spool.Find(touched)!.State with { Attempts = i }, Ct));
            }
            catch (IOException)
            {
                return;
            }

            promised[touched] = (i, i);
        }
    }
}
