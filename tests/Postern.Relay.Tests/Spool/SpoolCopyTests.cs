using System.Collections.Concurrent;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Segments;

namespace Postern.Relay.Tests.Spool;

public sealed class SpoolCopyTests : IDisposable
{
    private readonly SpoolHome home = new();
    private readonly TemporaryDirectory elsewhere = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        home.Dispose();
        elsewhere.Dispose();
    }

    [Fact]
    public async Task A_copy_made_while_messages_come_and_go_holds_each_that_stayed_and_none_that_had_gone()
    {
        await using var spool = home.Open();
        var settled = new ConcurrentDictionary<QueueId, byte[]>();
        var gone = new ConcurrentBag<QueueId>();
        for (var i = 0; i < 20; i++)
            await AddAsync(spool, settled, i);

        using var end = new CancellationTokenSource();
        var traffic = Enumerable.Range(0, 3).Select(worker => Task.Run(() => ComeAndGoAsync(spool, settled, gone, worker, end.Token), Ct)).ToArray();
        for (var copy = 0; copy < 25; copy++)
        {
            var (before, goneBefore) = (settled.ToArray(), gone.ToArray());
            var to = Path.Combine(elsewhere.Path, $"copy{copy}");
            Directory.CreateDirectory(to);
            SpoolCopy.Run(home.Path, to, Ct);

            await using var restored = SegmentSpool.Open(new SegmentSpoolOptions { Directory = to, SegmentSize = home.SegmentSize, Reserve = 0 }, home.Clock);
            Assert.Empty(restored.Recovery.Quarantined);
            foreach (var (id, content) in before)
                Assert.Equal(content, await Samples.ReadAsync(restored, id, step: 100_000));
            foreach (var id in goneBefore)
                Assert.Null(restored.Find(id));
        }

        await end.CancelAsync();
        await Task.WhenAll(traffic);
        Assert.True(gone.Count > 50, "there was no traffic to copy against");
    }

    [Fact]
    public async Task What_is_written_between_two_reads_makes_no_hole()
    {
        await using var spool = home.Open();
        var before = await Samples.CommitAsync(spool, Samples.Content(1000));
        using SemaphoreSlim between = new(0), again = new(0);

        var copying = Task.Run(() => SpoolCopy.Run(home.Path, elsewhere.Path, Pause, Ct), Ct);
        for (var i = 0; i < 3; i++)
        {
            await between.WaitAsync(Ct);
            for (var message = 0; message < 20; message++)
                await Samples.CommitAsync(spool, Samples.Content(500, message));
            again.Release();
        }

        again.Release(1000);
        await copying;

        await using var restored = SegmentSpool.Open(new SegmentSpoolOptions { Directory = elsewhere.Path, SegmentSize = home.SegmentSize, Reserve = 0 }, home.Clock);
        Assert.Empty(restored.Recovery.Quarantined);
        Assert.NotNull(restored.Find(before));

        void Pause()
        {
            between.Release();
            again.Wait(Ct);
        }
    }

    [Fact]
    public async Task Spares_lock_and_quarantine_stay_behind_and_empty_room_takes_none()
    {
        using var roomy = new SpoolHome { SegmentSize = 8 << 20 };
        await using var spool = roomy.Open();
        await Samples.CommitAsync(spool, Samples.Content(1000));
        await File.WriteAllTextAsync(Path.Combine(roomy.Path, "0000000000000009.spare"), "x", Ct);

        Assert.Equal(1, SpoolCopy.Run(roomy.Path, elsewhere.Path, Ct));

        Assert.Equal(0, new FileInfo(Path.Combine(elsewhere.Path, "0000000000000009.retired")).Length);
        var copied = Assert.Single(Directory.GetFiles(elsewhere.Path), static path => !path.EndsWith(".retired", StringComparison.Ordinal));
        Assert.Equal(Path.GetFileName(Assert.Single(roomy.Segments)), Path.GetFileName(copied));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(copied));
    }

    [Fact]
    public async Task What_was_retired_is_not_missing_from_the_copy()
    {
        await using var spool = home.Open();
        var ids = new List<QueueId>();
        for (var i = 0; i < 60; i++)
            ids.Add(await Samples.CommitAsync(spool, Samples.Content(15_000, i)));
        ids[1..].ForEach(id => spool.Remove(id));
        await SpoolHome.UntilAsync(spool, () => home.Segments.Length <= 3);

        SpoolCopy.Run(home.Path, elsewhere.Path, Ct);

        await using var restored = SegmentSpool.Open(new SegmentSpoolOptions { Directory = elsewhere.Path, SegmentSize = home.SegmentSize, Reserve = 0 }, home.Clock);
        Assert.True(restored.Recovery.IsClean, string.Join("; ", restored.Recovery.Quarantined));
        Assert.NotNull(restored.Find(ids[0]));
    }

    [Fact]
    public async Task A_segment_that_was_the_newest_and_is_retired_meanwhile_does_not_stay_in_the_copy()
    {
        await using var spool = home.Open();
        var passing = await Samples.CommitAsync(spool, Samples.Content(15_000));
        var first = Assert.Single(home.Segments);
        using SemaphoreSlim between = new(0), again = new(0);
        var isPaused = false;

        var copying = Task.Run(() => SpoolCopy.Run(home.Path, elsewhere.Path, Pause, Ct), Ct);
        await between.WaitAsync(Ct);
        spool.Remove(passing);
        for (var i = 0; i < 12; i++)
            spool.Remove(await Samples.CommitAsync(spool, Samples.Content(15_000, i)));
        await SpoolHome.UntilAsync(spool, () => !File.Exists(first));
        // What the last removals set in motion would else go on behind the copy, and change what it is compared with.
        await spool.DisposeAsync();
        again.Release();
        await copying;

        Assert.Equal(home.Segments.Select(Path.GetFileName), Directory.GetFiles(elsewhere.Path, "*.segment").Select(Path.GetFileName).Order(StringComparer.Ordinal));

        void Pause()
        {
            if (isPaused)
                return;
            isPaused = true;
            between.Release();
            again.Wait(Ct);
        }
    }

    [Fact]
    public async Task A_segment_that_is_a_link_is_not_followed()
    {
        await using (var spool = home.Open())
            await Samples.CommitAsync(spool, Samples.Content(1000));
        var secret = Path.Combine(elsewhere.Path, "secret");
        await File.WriteAllTextAsync(secret, "s", Ct);
        File.CreateSymbolicLink(Path.Combine(home.Path, "0000000000000008.segment"), secret);
        var to = Directory.CreateDirectory(Path.Combine(elsewhere.Path, "to")).FullName;

        Assert.Throws<IOException>(() => SpoolCopy.Run(home.Path, to, Ct));
    }

    private static async Task AddAsync(SegmentSpool spool, ConcurrentDictionary<QueueId, byte[]> settled, int seed)
    {
        var content = Samples.Content(200 + (seed * 997 % 30_000), seed);
        settled[await Samples.CommitAsync(spool, content)] = content;
    }

    private static async Task ComeAndGoAsync(SegmentSpool spool, ConcurrentDictionary<QueueId, byte[]> settled, ConcurrentBag<QueueId> gone, int worker, CancellationToken end)
    {
        // A removal is written with the next batch.
        QueueId? removed = null;
        for (var i = 0; !end.IsCancellationRequested; i++)
        {
            if (i % 50 == 0 && settled.Count < 200)
                await AddAsync(spool, settled, (worker * 100_000) + i);
            var passing = await Samples.CommitAsync(spool, Samples.Content(100 + (i * 331 % 9_000), i));
            if (removed is { } written)
                gone.Add(written);
            spool.Remove(passing);
            removed = passing;
        }
    }
}
