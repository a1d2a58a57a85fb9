using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Tests.Spool;

/// <summary>Removals that nobody waits for, messages that take an hour, directories just made, file systems without inodes.</summary>
public sealed class SpoolCornersTests : IDisposable
{
    private readonly SpoolHome home = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => home.Dispose();

    [Fact]
    public async Task A_removal_is_synced_within_a_second_with_no_new_mail()
    {
        await using var spool = home.Open();
        for (var round = 0; round < 3; round++)
        {
            var id = await Samples.CommitAsync(spool, Samples.Content(100));
            var (writes, syncs) = (home.Files.CountOf(nameof(ISegmentFiles.Write)), home.Files.CountOf(nameof(ISegmentFiles.Sync)));
            Assert.True(spool.Remove(id));
            await TurnUntilAsync(() => home.Files.CountOf(nameof(ISegmentFiles.Write)) > writes);
            Assert.Equal(syncs, home.Files.CountOf(nameof(ISegmentFiles.Sync)));
            await TurnUntilAsync(
                () => home.Files.CountOf(nameof(ISegmentFiles.Sync)) == syncs + 1,
                () => home.Clock.Advance(TimeSpan.FromSeconds(1)));
        }
    }

    [Fact]
    public async Task An_idle_spool_syncs_nothing()
    {
        await using var spool = home.Open();
        spool.Remove(await Samples.CommitAsync(spool, Samples.Content(100)));
        await Samples.CommitAsync(spool, Samples.Content(100));
        var syncs = home.Files.CountOf(nameof(ISegmentFiles.Sync));
        for (var i = 0; i < 100; i++)
        {
            home.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await Samples.CommitAsync(spool, Samples.Content(100));

        // The removal may have been written after the second message: then it had a sync of its own.
        Assert.InRange(home.Files.CountOf(nameof(ISegmentFiles.Sync)), syncs + 1, syncs + 2);
    }

    [Fact]
    public async Task A_removal_that_found_no_room_is_tried_again_with_no_new_mail()
    {
        await using (var spool = home.Open())
        {
            var id = await Samples.CommitAsync(spool, Samples.Content(100));
            home.Files.FailOnce(nameof(ISegmentFiles.Write), FaultyFiles.NoSpace);
            var syncs = home.Files.CountOf(nameof(ISegmentFiles.Sync));
            Assert.True(spool.Remove(id));

            // The cut, the header of the next segment, the removal.
            await TurnUntilAsync(
                () => home.Files.CountOf(nameof(ISegmentFiles.Sync)) >= syncs + 3,
                () => home.Clock.Advance(TimeSpan.FromSeconds(1)));
        }

        await using var again = home.Open();
        Assert.Equal(0, again.Count);
    }

    [Fact]
    public async Task A_slow_client_keeps_no_segment_in_place()
    {
        using var roomy = new SpoolHome { SegmentSize = 1 << 20 };
        var content = Samples.Content(300_000);
        var envelope = Samples.Envelope();
        await using (var spool = roomy.Open())
        {
            await using var draft = spool.CreateDraft();
            await draft.AppendAsync(content.AsMemory(0, 150_000), Ct);
            for (var round = 0; round < 3; round++)
            {
                var before = roomy.Segments;
                for (var i = 0; i < 130; i++)
                    spool.Remove(await Samples.CommitAsync(spool, Samples.Content(10_000, i)));
                await UntilAsync(roomy, spool, () => before.All(static path => !File.Exists(path)));
            }

            await draft.AppendAsync(content.AsMemory(150_000), Ct);
            Assert.IsType<SpoolCommit.Durable>(await draft.CommitAsync(envelope, Samples.FreshState(envelope), Ct));
            Assert.Equal(content, await Samples.ReadAsync(spool, envelope.Id));
        }

        await using var again = roomy.Open();
        Assert.True(again.Recovery.IsClean);
        Assert.Equal(content, await Samples.ReadAsync(again, envelope.Id));
    }

    [Fact]
    public async Task A_draft_that_is_given_up_after_it_was_moved_leaves_nothing_alive()
    {
        using var roomy = new SpoolHome { SegmentSize = 1 << 20 };
        await using var spool = roomy.Open();
        await using (var draft = spool.CreateDraft())
        {
            await draft.AppendAsync(Samples.Content(150_000), Ct);
            var before = roomy.Segments;
            for (var i = 0; i < 130; i++)
                spool.Remove(await Samples.CommitAsync(spool, Samples.Content(10_000, i)));
            await UntilAsync(roomy, spool, () => before.All(static path => !File.Exists(path)));
        }

        await UntilAsync(roomy, spool, () => roomy.Segments.Length <= 2);
    }

    [Fact]
    public async Task Messages_committed_while_their_chunks_move_are_whole_after_a_restart()
    {
        using var roomy = new SpoolHome { SegmentSize = 1 << 20 };
        var stored = new Dictionary<QueueId, byte[]>();
        await using (var spool = roomy.Open())
        {
            var random = new Random(7);
            for (var round = 0; round < 60; round++)
            {
                var envelope = Samples.Envelope();
                var content = Samples.Content(random.Next(140_000, 400_000), round);
                await using var draft = spool.CreateDraft();
                await draft.AppendAsync(content.AsMemory(0, 135_000), Ct);
                var fill = Task.Run(
                    async () =>
                    {
                        for (var i = 0; i < 120; i++)
                            spool.Remove(await Samples.CommitAsync(spool, Samples.Content(16_000, i)));
                    },
                    Ct);
                for (var i = random.Next(400); i > 0; i--)
                    await Task.Yield();
                roomy.Clock.Advance(TimeSpan.FromSeconds(1.1));
                await draft.AppendAsync(content.AsMemory(135_000), Ct);
                Assert.IsType<SpoolCommit.Durable>(await draft.CommitAsync(envelope, Samples.FreshState(envelope), Ct));
                stored[envelope.Id] = content;
                await fill;
                if (stored.Count > 3 && stored.Keys.First() is var old && stored.Remove(old))
                    spool.Remove(old);
            }
        }

        await using var again = roomy.Open();
        Assert.True(again.Recovery.IsClean);
        Assert.Equal(stored.Count, again.Count);
        foreach (var (id, content) in stored)
            Assert.Equal(content, await Samples.ReadAsync(again, id));
    }

    [Fact]
    public async Task The_names_of_new_directories_are_synced_before_the_spool_takes_anything()
    {
        using var root = new TemporaryDirectory();
        var path = Path.Combine(root.Path, "a", "b", "spool");
        await using var spool = SegmentSpool.Open(new SegmentSpoolOptions { Directory = path, Reserve = 0 }, home.Clock, home.Files);
        Assert.Equal([Path.Combine(root.Path, "a", "b"), Path.Combine(root.Path, "a"), root.Path], home.Files.SyncedDirectories.Take(3));
    }

    [Fact]
    public void A_new_directory_whose_name_cannot_be_synced_is_no_spool()
    {
        home.Files.FailAlways(nameof(ISegmentFiles.SyncDirectory), FaultyFiles.InputOutputError);
        Assert.Contains("cannot be used", Assert.Throws<SpoolUnavailableException>(() => home.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_inodes_a_spool_is_full_before_anything_is_sent_and_recovers()
    {
        long files = 3;
        home.Files.FakeSpace = () => new DiskSpace(1 << 30, 1 << 30, files);
        await using var spool = home.Open();
        Assert.Equal(SpoolCondition.Full, spool.Status.Condition);
        Assert.Contains("inodes", spool.Status.Reason, StringComparison.Ordinal);
        Assert.IsType<SpoolCommit.Full>(await Samples.TryCommitAsync(spool, Samples.Content(10)));
        files = 100;
        home.Clock.Advance(TimeSpan.FromSeconds(1.1));
        await Samples.CommitAsync(spool, Samples.Content(10));
    }

    [Fact]
    public async Task A_real_file_system_without_inodes_is_full_and_recovers()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only the superuser can mount a small file system");
        using var root = new TemporaryDirectory(onDisk: true);
        var image = Path.Combine(root.Path, "image");
        var mount = Directory.CreateDirectory(Path.Combine(root.Path, "mount")).FullName;
        await using (var file = File.Create(image))
            file.SetLength(16 << 20);
        await Command.RunAsync("mkfs.ext4", "-q", "-F", "-N", "64", image);
        try
        {
            await Command.RunAsync("mount", "-o", "loop", image, mount);
        }
        catch (Exception e) when (e is Xunit.Sdk.XunitException)
        {
            Assert.Skip("this machine has no loop devices to mount");
        }

        try
        {
            var options = new SegmentSpoolOptions { Directory = Path.Combine(mount, "spool"), SegmentSize = 256 << 10, Reserve = 0 };
            await using (var spool = SegmentSpool.Open(options, home.Clock))
            {
                await Samples.CommitAsync(spool, Samples.Content(100));
                var fillers = new List<string>();
                try
                {
                    for (var i = 0; i < 1000; i++)
                    {
                        var path = Path.Combine(mount, $"filler{i}");
                        File.WriteAllText(path, "");
                        fillers.Add(path);
                    }

                    Assert.Fail("the file system has inodes without end");
                }
                catch (IOException)
                {
                    // As meant: no inode is left.
                }

                home.Clock.Advance(TimeSpan.FromSeconds(1.1));
                Assert.Equal(SpoolCondition.Full, spool.Status.Condition);
                Assert.True(new DriveInfo(mount).AvailableFreeSpace > 1 << 20);
                Assert.IsType<SpoolCommit.Full>(await Samples.TryCommitAsync(spool, Samples.Content(10)));
                fillers.ForEach(File.Delete);
                home.Clock.Advance(TimeSpan.FromSeconds(1.1));
                await Samples.CommitAsync(spool, Samples.Content(200));
            }

            await using var again = SegmentSpool.Open(options, home.Clock);
            Assert.Equal([100, 200], again.List().Select(static entry => entry.Size));
        }
        finally
        {
            await Command.RunAsync("umount", "-l", mount);
        }
    }

    /// <summary>As <see cref="SpoolHome.UntilAsync"/>, with time passing: a round that met a commit is begun again a second later.</summary>
    private static Task UntilAsync(SpoolHome home, SegmentSpool spool, Func<bool> isSo) => SpoolHome.UntilAsync(
        spool,
        () =>
        {
            home.Clock.Advance(TimeSpan.FromSeconds(1.1));
            return isSo();
        });

    private static async Task TurnUntilAsync(Func<bool> isSo, Action? turn = null)
    {
        while (!isSo())
        {
            Ct.ThrowIfCancellationRequested();
            turn?.Invoke();
            await Task.Delay(1, Ct);
        }
    }
}
