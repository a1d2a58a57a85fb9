using System.Collections.Concurrent;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Tests.Spool;

public sealed class SegmentInjectionTests
{
    private static readonly string[] Calls =
    [
        nameof(ISegmentFiles.Create), nameof(ISegmentFiles.Write), nameof(ISegmentFiles.Sync), nameof(ISegmentFiles.Rename),
        nameof(ISegmentFiles.Delete), nameof(ISegmentFiles.SyncDirectory), nameof(ISegmentFiles.Read), nameof(ISegmentFiles.Truncate),
    ];

    [Theory]
    [InlineData(FaultyFiles.InputOutputError)]
    [InlineData(FaultyFiles.NoSpace)]
    public async Task Whatever_call_fails_no_promise_is_broken_and_no_refusal_is_stored(int errno)
    {
        var random = new Random(errno);
        foreach (var call in Calls)
        {
            for (var nth = 1; nth <= 25; nth += 1 + random.Next(3))
                await OneLifeAsync(call, errno, nth, random.Next());
        }
    }

    private static async Task OneLifeAsync(string call, int errno, int nth, int seed)
    {
        using var home = new SpoolHome { SegmentSize = 48 << 10 };
        home.Files.PartialWrite = seed % 9000;
        var kept = new ConcurrentDictionary<QueueId, byte[]>();
        var refused = new ConcurrentBag<QueueId>();
        await using (var spool = home.Open())
        {
            home.Files.FailOnce(call, errno, nth);
            await Task.WhenAll(Enumerable.Range(0, 3).Select(async writer =>
            {
                var random = new Random(seed + writer);
                for (var i = 0; i < 25; i++)
                {
                    var envelope = Samples.Envelope();
                    var content = Samples.Content(random.Next(8) == 0 ? 100_000 : random.Next(9000), random.Next());
                    var answer = await Samples.TryCommitAsync(spool, content, envelope);
                    if (answer is SpoolCommit.Durable)
                        kept[envelope.Id] = content;
                    else if (answer is SpoolCommit.Full)
                        refused.Add(envelope.Id);
                    if (i > 5 && kept.Keys.FirstOrDefault() is var old && kept.TryRemove(old, out _))
                        spool.Remove(old);
                    home.Clock.Advance(TimeSpan.FromMilliseconds(600));
                }
            }));
            home.Files.Heal();
            foreach (var (id, content) in kept)
                Assert.Equal(content, await Samples.ReadAsync(spool, id));
        }

        await using var again = home.Open();
        foreach (var (id, content) in kept)
            Assert.Equal(content, await Samples.ReadAsync(again, id));
        Assert.All(refused, id => Assert.Null(again.Find(id)));
    }
}
