using System.Collections.Concurrent;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Relay.Spool.Segments.Disk;

namespace Postern.Relay.Tests.Spool;

public sealed class SegmentCompactionTests : IDisposable
{
    private readonly SpoolHome home = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => home.Dispose();

    [Fact]
    public async Task Segments_of_which_nothing_lives_go_away()
    {
        await using var spool = home.Open();
        var ids = await FillAsync(spool, messages: 60, size: 10_000);
        Assert.True(home.Segments.Length >= 10);
        ids.ForEach(id => spool.Remove(id));
        await SpoolHome.UntilAsync(spool, () => home.Segments.Length <= 2);
    }

    [Fact]
    public async Task A_few_survivors_are_moved_with_their_newest_state_and_order()
    {
        List<string> expected;
        var contents = new Dictionary<QueueId, byte[]>();
        await using (var spool = home.Open())
        {
            var ids = await FillAsync(spool, messages: 60, size: 10_000);
            for (var i = 0; i < ids.Count; i++)
            {
                if (i % 12 != 5)
                    spool.Remove(ids[i]);
                else
                    await spool.UpdateAsync(ids[i], spool.Find(ids[i])!.State with { Attempts = i }, Ct);
            }

            foreach (var entry in spool.List())
                contents.Add(entry.Envelope.Id, (await Samples.ReadAsync(spool, entry.Envelope.Id))!);
            expected = [.. spool.List().Select(Samples.Describe)];
            await SpoolHome.UntilAsync(spool, () => home.Segments.Length <= 3);
            Assert.Equal(expected, spool.List().Select(Samples.Describe));
        }

        await using var again = home.Open();
        Assert.True(again.Recovery.IsClean);
        Assert.Equal(expected, again.List().Select(Samples.Describe));
        foreach (var (id, content) in contents)
            Assert.Equal(content, await Samples.ReadAsync(again, id));
    }

    /// <summary>The log alone has it: its entry is not kept in memory.</summary>
    [Theory]
    [InlineData(10_000)]
    [InlineData(300_000)]
    public async Task What_has_ended_is_moved_with_its_last_state_until_it_is_removed(int size)
    {
        using var roomy = new SpoolHome { SegmentSize = 2 << 20 };
        QueueId[] ended;
        string[] expected;
        await using (var spool = roomy.Open())
        {
            ended = [await Samples.CommitAsync(spool, Samples.Content(size), Samples.Envelope(2)), await Samples.CommitAsync(spool, Samples.Content(1_000))];
            var first = roomy.Segments[0];
            expected = [.. new[] { await Samples.EndAsync(spool, ended[0], "250 first"), await Samples.EndAsync(spool, ended[1], "250 second") }.Select(Samples.Describe)];
            (await FillAsync(spool, messages: 300, size: 10_000)).ForEach(id => spool.Remove(id));
            await SpoolHome.UntilAsync(spool, () => !File.Exists(first));
            Assert.Equal(expected.Order(), (await spool.ListEndedAsync(Ct)).Select(Samples.Describe).Order());
        }

        await using (var again = roomy.Open())
        {
            Assert.True(again.Recovery.IsClean);
            Assert.Equal(0, again.Count);
            Assert.Equal(expected.Order(), (await again.ListEndedAsync(Ct)).Select(Samples.Describe).Order());
            Assert.Equal(2, await again.RemoveAllAsync([.. ended, ended[0]], Ct));
        }

        await using var last = roomy.Open();
        Assert.Empty(await last.ListEndedAsync(Ct));
        Assert.Equal(0, last.Count);
    }

    /// <summary>A batch that copied all of them would hold up whoever waits for a commit of its own.</summary>
    [Fact]
    public async Task States_of_very_many_messages_are_moved_in_slices()
    {
        const int Messages = 15_000;
        using var roomy = new SpoolHome { SegmentSize = 32 << 20 };
        await using (var spool = roomy.Open())
        {
            var ids = await Task.WhenAll(Enumerable.Range(0, Messages).Select(_ => Samples.CommitAsync(spool, Samples.Content(1_000))));
            await UntilFullAsync();
            await Task.WhenAll(ids.Select(async id =>
                Assert.True(await spool.UpdateAsync(id, spool.Find(id)!.State with { Attempts = 7 }, Ct))));
            var states = roomy.Segments[^1];
            await UntilFullAsync();
            roomy.Files.LargestWrite = 0;
            await SpoolHome.UntilAsync(spool, () => !File.Exists(states));
            Assert.InRange(roomy.Files.LargestWrite, 100_000, 1 << 20);

            async Task UntilFullAsync()
            {
                for (var newest = roomy.Segments[^1]; roomy.Segments[^1] == newest;)
                    spool.Remove(await Samples.CommitAsync(spool, Samples.Content(1 << 20)));
            }
        }

        await using var again = roomy.Open();
        Assert.True(again.Recovery.IsClean);
        Assert.Equal(Messages, again.List().Count(static entry => entry.State.Attempts == 7));
    }

    [Fact]
    public async Task A_big_message_is_moved_chunk_by_chunk()
    {
        var content = Samples.Content(1_500_000);
        QueueId big;
        using var roomy = new SpoolHome { SegmentSize = 8 << 20 };
        await using (var spool = roomy.Open())
        {
            big = await Samples.CommitAsync(spool, content);
            var first = Assert.Single(roomy.Segments);
            var others = await FillAsync(spool, messages: 200, size: 60_000);
            others.ForEach(id => spool.Remove(id));
            await SpoolHome.UntilAsync(spool, () => !File.Exists(first));
            Assert.Equal(content, await Samples.ReadAsync(spool, big));
        }

        await using var again = roomy.Open();
        Assert.True(again.Recovery.IsClean);
        Assert.Equal(content, await Samples.ReadAsync(again, big));
    }

    [Fact]
    public async Task Deleting_segments_never_brings_a_removed_message_back()
    {
        // The message and its removal stand in different segments, and the one with the removal dies first.
        QueueId removed;
        var held = new List<QueueId>();
        await using (var spool = home.Open())
        {
            removed = await Samples.CommitAsync(spool, Samples.Content(10_000));
            held.AddRange(await FillAsync(spool, messages: 5, size: 10_000));
            var padding = await FillAsync(spool, messages: 10, size: 10_000);
            spool.Remove(removed);
            padding.AddRange(await FillAsync(spool, messages: 30, size: 10_000));
            padding.ForEach(id => spool.Remove(id));
            var segments = home.Segments;
            await SpoolHome.UntilAsync(spool, () => segments[1..^1].All(static path => !File.Exists(path)));
            Assert.True(File.Exists(segments[0]));
        }

        await using var again = home.Open();
        Assert.Null(again.Find(removed));
        Assert.Equal(held, again.List().Select(static entry => entry.Envelope.Id));
    }

    [Fact]
    public async Task Open_content_survives_the_deletion_of_its_segment()
    {
        await using var spool = home.Open();
        var content = Samples.Content(10_000);
        var id = await Samples.CommitAsync(spool, content);
        using var reader = spool.OpenContent(id)!;
        var first = home.Segments[0];
        spool.Remove(id);
        (await FillAsync(spool, messages: 60, size: 10_000)).ForEach(other => spool.Remove(other));
        await SpoolHome.UntilAsync(spool, () => !File.Exists(first));
        await FillAsync(spool, messages: 30, size: 10_000);     // spare files are written to again
        var all = new byte[content.Length];
        Assert.Equal(all.Length, await reader.ReadAsync(0, all, Ct));
        Assert.Equal(content, all);
    }

    [Fact]
    public async Task Chunks_of_a_message_still_being_written_are_left_alone()
    {
        await using var spool = home.Open();
        var content = Samples.Content(300_000);
        var envelope = Samples.Envelope();
        await using var draft = spool.CreateDraft();
        await draft.AppendAsync(content.AsMemory(0, 150_000), Ct);
        (await FillAsync(spool, messages: 60, size: 10_000)).ForEach(id => spool.Remove(id));
        await SpoolHome.UntilAsync(spool, () => home.Segments.Length <= 5);
        await draft.AppendAsync(content.AsMemory(150_000), Ct);
        Assert.IsType<SpoolCommit.Durable>(await draft.CommitAsync(envelope, Samples.FreshState(envelope), Ct));
        Assert.Equal(content, await Samples.ReadAsync(spool, envelope.Id));
    }

    [Fact]
    public async Task Nothing_from_an_earlier_life_of_a_recycled_file_is_replayed()
    {
        await using (var spool = home.Open())
        {
            for (var round = 0; round < 5; round++)
                (await FillAsync(spool, messages: 40, size: 10_000)).ForEach(id => spool.Remove(id));
            await SpoolHome.UntilAsync(spool, () => home.Segments.Length <= 2);
            await Samples.CommitAsync(spool, Samples.Content(300));
            Assert.NotEmpty(Directory.GetFiles(home.Path, "*.spare"));
            Assert.Contains(nameof(ISegmentFiles.Rename), home.Files.Calls);
        }

        await using var again = home.Open();
        Assert.True(again.Recovery.IsClean);
        Assert.Equal(300, Assert.Single(again.List()).Size);
    }

    [Fact]
    public async Task A_damaged_message_keeps_its_segment_from_being_deleted()
    {
        await using var spool = home.Open();
        var ids = await FillAsync(spool, messages: 5, size: 10_000);
        var first = home.Segments[0];
        await FillAsync(spool, messages: 10, size: 10_000);
        await using (var file = new FileStream(first, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Position = 5000;
            file.Write("damage"u8);
        }

        ids[1..].ForEach(id => spool.Remove(id));
        (await FillAsync(spool, messages: 60, size: 10_000)).ForEach(id => spool.Remove(id));
        await SpoolHome.UntilAsync(spool, () => home.Segments.Length <= 7);
        Assert.True(File.Exists(first));
        Assert.NotNull(spool.Find(ids[0]));
        await Assert.ThrowsAsync<InvalidDataException>(() => Samples.ReadAsync(spool, ids[0]));
    }

    [Fact]
    public async Task A_big_message_with_a_damaged_chunk_is_neither_moved_nor_cut_short()
    {
        using var roomy = new SpoolHome { SegmentSize = 4 << 20 };
        QueueId big;
        await using (var spool = roomy.Open())
        {
            big = await Samples.CommitAsync(spool, Samples.Content(500_000));
            var first = Assert.Single(roomy.Segments);
            await using (var file = new FileStream(first, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            {
                file.Position = 200_000;
                file.Write("damage"u8);
            }

            (await FillAsync(spool, messages: 300, size: 60_000)).ForEach(id => spool.Remove(id));
            await SpoolHome.UntilAsync(spool, () => roomy.Segments.Length <= 3);
            Assert.True(File.Exists(first));
            Assert.Equal(500_000, spool.Find(big)!.Size);
            await Assert.ThrowsAsync<InvalidDataException>(() => Samples.ReadAsync(spool, big));
        }

        await using var again = roomy.Open();
        Assert.Null(again.Find(big));
        Assert.Contains(again.Recovery.Quarantined, damage => damage.Message == big);
    }

    [Fact]
    public async Task Compaction_under_load_loses_and_confuses_nothing()
    {
        var stored = new ConcurrentDictionary<QueueId, (byte[] Content, int Attempts)>();
        await using (var spool = home.Open())
        {
            await Parallel.ForAsync(0, 8, Ct, async (writer, _) =>
            {
                var random = new Random(writer);
                var mine = new List<QueueId>();
                for (var i = 0; i < 150; i++)
                {
                    var content = Samples.Content(random.Next(20) == 0 ? 120_000 : random.Next(8000), (writer * 1000) + i);
                    var id = await Samples.CommitAsync(spool, content);
                    mine.Add(id);
                    stored[id] = (content, 0);
                    if (mine.Count > 6)
                    {
                        var old = mine[random.Next(mine.Count)];
                        mine.Remove(old);
                        Assert.True(stored.TryRemove(old, out var gone));
                        Assert.Equal(gone.Content, await Samples.ReadAsync(spool, old));
                        Assert.True(spool.Remove(old));
                    }

                    var touched = mine[random.Next(mine.Count)];
                    Assert.True(await spool.UpdateAsync(touched, spool.Find(touched)!.State with { Attempts = i }, Ct));
                    stored[touched] = stored[touched] with { Attempts = i };
                }
            });
            Assert.InRange(home.Segments.Length, 1, 60);
        }

        await using var again = home.Open();
        Assert.True(again.Recovery.IsClean);
        Assert.Equal(stored.Count, again.Count);
        foreach (var (id, (content, attempts)) in stored)
        {
            Assert.Equal(content, await Samples.ReadAsync(again, id));
            Assert.Equal(attempts, again.Find(id)!.State.Attempts);
        }
    }

    private static async Task<List<QueueId>> FillAsync(SegmentSpool spool, int messages, int size)
    {
        var ids = new List<QueueId>();
        for (var i = 0; i < messages; i++)
            ids.Add(await Samples.CommitAsync(spool, Samples.Content(size, i)));
        return ids;
    }
}
