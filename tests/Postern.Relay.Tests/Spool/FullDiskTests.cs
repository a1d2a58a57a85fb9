using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Testing;

namespace Postern.Relay.Tests.Spool;

/// <summary>A real file system of a few megabytes, filled to the brim.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private readonly TemporaryDirectory directory = new();
    private bool isMounted;

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess)
            return;
        await Command.RunAsync("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", directory.Path);
        isMounted = true;
    }

    public async ValueTask DisposeAsync()
    {
        if (isMounted)
            await Command.RunAsync("umount", "-l", directory.Path);
        directory.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2 << 20)]
    public async Task A_disk_filled_to_the_brim_is_full_and_goes_on_when_there_is_room(long reserve)
    {
        Assert.SkipUnless(isMounted, "only the superuser can mount a small file system");
        var clock = new ManualClock();
        var options = new SegmentSpoolOptions { Directory = directory.Spool, SegmentSize = 512 << 10, Reserve = reserve };
        var content = Samples.Content(40_000);
        await using (var spool = SegmentSpool.Open(options, clock))
        {
            var stored = 0;
            while (await Samples.TryCommitAsync(spool, content) is SpoolCommit.Durable)
            {
                clock.Advance(TimeSpan.FromMilliseconds(200));
                Assert.True(++stored < 1000);
            }

            Assert.InRange(stored, 30, 150);
            Assert.Equal(SpoolCondition.Full, spool.Status.Condition);
            Assert.Equal(stored, spool.Count);
            foreach (var entry in spool.List().Take(stored - 5))
                spool.Remove(entry.Envelope.Id);

            // Removing makes room without help from outside, as soon as the committer comes round to it; on a busy machine it must get the
            // processor for that.
            var tries = 0;
            while (await Samples.TryCommitAsync(spool, content) is not SpoolCommit.Durable)
            {
                clock.Advance(TimeSpan.FromSeconds(1.1));
                Assert.True(++tries < 1000);
                await Task.Delay(1, TestContext.Current.CancellationToken);
            }
        }

        await using var again = SegmentSpool.Open(options, clock);
        Assert.True(again.Recovery.IsClean);
        Assert.Equal(6, again.Count);
        foreach (var entry in again.List())
            Assert.Equal(content, await Samples.ReadAsync(again, entry.Envelope.Id));
    }
}
