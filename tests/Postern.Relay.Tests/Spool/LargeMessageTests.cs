using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;

namespace Postern.Relay.Tests.Spool;

/// <summary>Counts what the whole process allocates, so nothing else may run beside it.</summary>
[Collection(nameof(LargeMessageTests))]
[CollectionDefinition(nameof(LargeMessageTests), DisableParallelization = true)]
public sealed class LargeMessageTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fifty_megabytes_pass_through_a_few_kilobytes_of_memory()
    {
        const int Pieces = 800;
        using var directory = new TemporaryDirectory(onDisk: true);
        var options = new SegmentSpoolOptions { Directory = directory.Spool, SegmentSize = 4 << 20, Reserve = 0 };
        var piece = Samples.Content(65_536);
        var envelope = Samples.Envelope();
        await using (var spool = SegmentSpool.Open(options, TimeProvider.System))
        {
            await Samples.CommitAsync(spool, piece);
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await using (var draft = spool.CreateDraft())
            {
                for (var i = 0; i < Pieces; i++)
                    await draft.AppendAsync(piece, Ct);
                Assert.IsType<SpoolCommit.Durable>(await draft.CommitAsync(envelope, Samples.FreshState(envelope), Ct));
            }

            Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 2 << 20);
        }

        await using var again = SegmentSpool.Open(options, TimeProvider.System);
        using var content = again.OpenContent(envelope.Id)!;
        Assert.Equal((long)Pieces * piece.Length, content.Length);
        var back = new byte[piece.Length];
        for (long at = 0; at < content.Length; at += piece.Length)
        {
            Assert.Equal(back.Length, await content.ReadAsync(at, back, Ct));
            Assert.True(back.AsSpan().SequenceEqual(piece));
        }
    }
}
