using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Tests.Spool;

public sealed class SegmentFailureTests : IDisposable
{
    private readonly SpoolHome home = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => home.Dispose();

    [Theory]
    [InlineData(nameof(ISegmentFiles.Write))]
    [InlineData(nameof(ISegmentFiles.Sync))]
    public async Task After_a_failed_write_or_sync_nothing_more_is_promised(string call)
    {
        await using var spool = home.Open();
        var content = Samples.Content(3000);
        var kept = await Samples.CommitAsync(spool, content);
        home.Files.FailOnce(call, FaultyFiles.InputOutputError);

        var failed = Assert.IsType<SpoolCommit.Failed>(await Samples.TryCommitAsync(spool, Samples.Content(10)));
        Assert.Contains("planted", failed.Reason);
        Assert.Equal(SpoolCondition.Failed, spool.Status.Condition);
        Assert.IsType<SpoolCommit.Failed>(await Samples.TryCommitAsync(spool, Samples.Content(10)));
        await Assert.ThrowsAsync<IOException>(async () => await spool.UpdateAsync(kept, spool.Find(kept)!.State, Ct));
        Assert.Equal(1, spool.Count);
        Assert.Equal(content, await Samples.ReadAsync(spool, kept));
    }

    [Fact]
    public async Task A_failed_sync_fails_everybody_who_waited_for_it()
    {
        await using var spool = home.Open();
        await Samples.CommitAsync(spool, Samples.Content(10));
        home.Files.FailAlways(nameof(ISegmentFiles.Sync), FaultyFiles.InputOutputError);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Samples.TryCommitAsync(spool, Samples.Content(100 * i))));
        Assert.All(answers, static answer => Assert.IsType<SpoolCommit.Failed>(answer));
        Assert.Equal(1, spool.Count);
    }

    [Fact]
    public async Task What_was_promised_before_a_failure_is_there_after_a_restart()
    {
        var contents = new List<byte[]>();
        await using (var spool = home.Open())
        {
            for (var i = 0; i < 5; i++)
            {
                contents.Add(Samples.Content(20_000, i));
                await Samples.CommitAsync(spool, contents[^1]);
            }

            home.Files.FailAlways(nameof(ISegmentFiles.Sync), FaultyFiles.InputOutputError);
            await Samples.TryCommitAsync(spool, Samples.Content(10));
        }

        home.Files.Heal();
        await using var again = home.Open();
        Assert.Equal(SpoolCondition.Writable, again.Status.Condition);
        Assert.True(again.Count >= contents.Count);
        for (var i = 0; i < contents.Count; i++)
            Assert.Equal(contents[i], await Samples.ReadAsync(again, again.List()[i].Envelope.Id));
    }

    [Fact]
    public async Task A_disk_without_room_for_a_segment_is_full_and_not_failed()
    {
        await using var spool = home.Open();
        home.Files.FailAlways(nameof(ISegmentFiles.Create), FaultyFiles.NoSpace);
        var full = Assert.IsType<SpoolCommit.Full>(await Samples.TryCommitAsync(spool, Samples.Content(10)));
        Assert.Contains("planted", full.Reason);
        Assert.Equal(SpoolCondition.Full, spool.Status.Condition);

        home.Files.Heal();
        home.Clock.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal(SpoolCondition.Writable, spool.Status.Condition);
        await Samples.CommitAsync(spool, Samples.Content(10));
    }

    [Fact]
    public async Task A_write_that_finds_no_room_is_full_and_leaves_nothing_behind()
    {
        await using (var spool = home.Open())
        {
            var kept = await Samples.CommitAsync(spool, Samples.Content(100));
            home.Files.PartialWrite = 5000;
            home.Files.FailOnce(nameof(ISegmentFiles.Write), FaultyFiles.NoSpace);
            Assert.IsType<SpoolCommit.Full>(await Samples.TryCommitAsync(spool, Samples.Content(3000)));
            Assert.Equal(1, spool.Count);
            home.Clock.Advance(TimeSpan.FromSeconds(1.1));
            await Samples.CommitAsync(spool, Samples.Content(200));
            Assert.Equal(2, spool.Count);
            Assert.NotNull(spool.Find(kept));
        }

        await using var again = home.Open();
        Assert.True(again.Recovery.IsClean);
        Assert.Equal([100, 200], again.List().Select(static entry => entry.Size));
    }

    [Fact]
    public async Task A_sync_that_finds_no_room_is_a_failure()
    {
        await using var spool = home.Open();
        await Samples.CommitAsync(spool, Samples.Content(10));
        home.Files.FailOnce(nameof(ISegmentFiles.Sync), FaultyFiles.NoSpace);
        Assert.IsType<SpoolCommit.Failed>(await Samples.TryCommitAsync(spool, Samples.Content(10)));
        Assert.Equal(SpoolCondition.Failed, spool.Status.Condition);
    }

    [Fact]
    public async Task Running_out_of_descriptors_fails_the_message_and_not_the_spool()
    {
        await using var spool = home.Open();
        home.Files.FailOnce(nameof(ISegmentFiles.Create), FaultyFiles.TooManyOpenFiles);
        Assert.IsType<SpoolCommit.Failed>(await Samples.TryCommitAsync(spool, Samples.Content(10)));
        await Samples.CommitAsync(spool, Samples.Content(10));
    }

    [Fact]
    public async Task Below_the_reserve_messages_are_refused_but_states_and_removals_are_written()
    {
        long free = 100 << 20;
        home.Files.FakeSpace = () => new DiskSpace(1 << 30, free);
        await using (var spool = home.Open(reserve: 50 << 20))
        {
            var first = await Samples.CommitAsync(spool, Samples.Content(10));
            var second = await Samples.CommitAsync(spool, Samples.Content(20));
            free = 40 << 20;
            home.Clock.Advance(TimeSpan.FromSeconds(1.1));
            var full = Assert.IsType<SpoolCommit.Full>(await Samples.TryCommitAsync(spool, Samples.Content(30)));
            Assert.Contains("reserve", full.Reason);
            Assert.True(await spool.UpdateAsync(second, spool.Find(second)!.State with { Attempts = 7 }, Ct));
            Assert.True(spool.Remove(first));
            free = 100 << 20;
            home.Clock.Advance(TimeSpan.FromSeconds(1.1));
            await Samples.CommitAsync(spool, Samples.Content(40));
        }

        await using var again = home.Open();
        Assert.Equal([20, 40], again.List().Select(static entry => entry.Size));
        Assert.Equal(7, again.List()[0].State.Attempts);
    }

    [Fact]
    public async Task A_removal_that_found_no_room_is_written_later()
    {
        await using (var spool = home.Open())
        {
            var id = await Samples.CommitAsync(spool, Samples.Content(100));
            home.Files.FailOnce(nameof(ISegmentFiles.Write), FaultyFiles.NoSpace);
            Assert.True(spool.Remove(id));
            while (spool.Status.Condition == SpoolCondition.Writable)
                await Task.Yield();

            // The batch that met the failure may still be settling: until it has, room is refused.
            do
                home.Clock.Advance(TimeSpan.FromSeconds(1.1));
            while (await Samples.TryCommitAsync(spool, Samples.Content(200)) is not SpoolCommit.Durable);
        }

        await using var again = home.Open();
        Assert.Equal(200, Assert.Single(again.List()).Size);
    }

    [Fact]
    public async Task A_draft_in_the_midst_of_which_the_disk_fills_up_is_refused_at_commit()
    {
        await using var spool = home.Open();
        var envelope = Samples.Envelope();
        await using (var draft = spool.CreateDraft())
        {
            await draft.AppendAsync(Samples.Content(70_000), Ct);
            home.Files.FailAlways(nameof(ISegmentFiles.Create), FaultyFiles.NoSpace);
            await draft.AppendAsync(Samples.Content(500_000), Ct);
            Assert.Equal(570_000, draft.Length);
            Assert.IsType<SpoolCommit.Full>(await draft.CommitAsync(envelope, Samples.FreshState(envelope), Ct));
        }

        Assert.Equal(0, spool.Count);
    }

    [Fact]
    public async Task A_listener_that_throws_does_not_stop_the_log()
    {
        await using var spool = home.Open();
        spool.Committed += static _ => throw new InvalidOperationException("a bug");
        await Samples.CommitAsync(spool, Samples.Content(10));
        await Samples.CommitAsync(spool, Samples.Content(10));
        Assert.Equal(2, spool.Count);
    }

    [Fact]
    public async Task A_closed_spool_answers_failed()
    {
        var spool = home.Open();
        await spool.DisposeAsync();
        Assert.IsType<SpoolCommit.Failed>(await Samples.TryCommitAsync(spool, Samples.Content(10)));
    }

    /// <summary>A disk without room may refuse even that at opening. The next segment proves the end of this one, so it must wait for it.</summary>
    [Fact]
    public async Task What_could_not_be_written_again_at_opening_is_written_again_before_another_segment_follows()
    {
        await UnsealAsync();
        home.Files.Calls.Clear();
        home.Files.FailOnce(nameof(ISegmentFiles.Write), FaultyFiles.NoSpace);
        await using var spool = home.Open();

        await Samples.CommitAsync(spool, Samples.Content(10));

        // Of the cut at opening, of what is written again, of the footer, of the new header, of the message.
        Assert.Equal(5, home.Files.CountOf(nameof(ISegmentFiles.Sync)));
    }

    /// <summary>What lived in the older one may be read from memory only where it was copied to.</summary>
    [Fact]
    public async Task Until_the_newest_segment_is_written_again_no_older_one_goes()
    {
        string[] paths;
        await using (var spool = home.Open())
        {
            var first = await Samples.CommitAsync(spool, Samples.Content(40_000));
            await Samples.CommitAsync(spool, Samples.Content(40_000));
            paths = home.Segments;
            File.Copy(paths[0], paths[0] + ".kept");
            spool.Remove(first);
        }

        File.Move(paths[0] + ".kept", paths[0], overwrite: true);
        File.Delete(Path.ChangeExtension(paths[0], SegmentStore.RetiredExtension));
        await UnsealAsync(paths[1]);
        home.Files.Calls.Clear();
        home.Files.FailOnce(nameof(ISegmentFiles.Write), FaultyFiles.NoSpace);
        await using var again = home.Open();

        Assert.True(await Task.Run(() => SpinWait.SpinUntil(() => !File.Exists(paths[0]), TimeSpan.FromSeconds(20)), Ct));

        string[] taking = [nameof(ISegmentFiles.Create), nameof(ISegmentFiles.Rename), nameof(ISegmentFiles.Delete)];
        lock (home.Files.Calls)
            Assert.Equal(3, home.Files.Calls.TakeWhile(call => !taking.Contains(call)).Count(static call => call == nameof(ISegmentFiles.Sync)));
    }

    /// <summary>The disk took all of it, and had no room for what follows.</summary>
    [Fact]
    public async Task A_message_that_was_refused_for_want_of_room_does_not_come_back_though_the_disk_has_it()
    {
        QueueId kept;
        await using (var spool = home.Open())
        {
            kept = await Samples.CommitAsync(spool, Samples.Content(100));
            home.Files.PartialWrite = 100_000;
            home.Files.FailOnce(nameof(ISegmentFiles.Write), FaultyFiles.NoSpace);
            Assert.IsType<SpoolCommit.Full>(await Samples.TryCommitAsync(spool, Samples.Content(3000)));

            // No footer goes over it at the end of this life.
            home.Files.PartialWrite = 0;
            home.Files.FailAlways(nameof(ISegmentFiles.Write), FaultyFiles.InputOutputError);
        }

        home.Files.Heal();
        await using var again = home.Open();
        Assert.Equal(kept, Assert.Single(again.List()).Envelope.Id);
    }

    [Fact]
    public async Task A_segment_that_reads_differently_the_second_time_is_not_sealed()
    {
        await UnsealAsync();
        var path = Assert.Single(home.Segments);
        var log = await File.ReadAllBytesAsync(path, Ct);
        var last = Samples.Records(log).Last().Offset;
        var refused = 0;
        for (var nth = 1; nth <= 12; nth++)
        {
            await File.WriteAllBytesAsync(path, log, Ct);
            var count = 0;
            home.Files.Fault = call =>
            {
                if (call == nameof(ISegmentFiles.Read) && ++count == nth)
                    File.WriteAllBytes(path, [.. log.Take(last), .. new byte[log.Length - last]]);
                return 0;
            };
            try
            {
                await using var spool = home.Open();
            }
            catch (SpoolUnavailableException e)
            {
                Assert.Contains("changed while it was read", e.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        Assert.NotEqual(0, refused);
    }

    /// <summary>Two messages, and no footer: as a crash leaves it.</summary>
    private async Task UnsealAsync()
    {
        await using (var spool = home.Open())
        {
            for (var i = 0; i < 2; i++)
                await Samples.CommitAsync(spool, Samples.Content(3000, i));
        }

        await UnsealAsync(Assert.Single(home.Segments));
    }

    private static async Task UnsealAsync(string path)
    {
        var log = await File.ReadAllBytesAsync(path, Ct);
        log.AsSpan(Samples.Records(log).Last(static r => r.Header.Kind == RecordKind.Sealed).Offset).Clear();
        await File.WriteAllBytesAsync(path, log, Ct);
    }

    [Fact]
    public async Task A_segment_is_in_the_directory_durably_before_anything_is_promised_in_it()
    {
        await using var spool = home.Open();
        home.Files.Calls.Clear();
        await Samples.CommitAsync(spool, Samples.Content(10));
        Assert.Equal(
            [nameof(ISegmentFiles.Create), nameof(ISegmentFiles.Write), nameof(ISegmentFiles.Sync), nameof(ISegmentFiles.SyncDirectory), nameof(ISegmentFiles.Write), nameof(ISegmentFiles.Sync)],
            home.Files.Calls);
    }
}
