using System.Security.Cryptography;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool.Segments;
using Postern.Relay.Spool.Segments.Compaction;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Tests.Spool;

/// <summary>The log is a chain: what is missing from it is noticed, whichever way it went.</summary>
public sealed class SegmentChainTests : IDisposable
{
    private const int PerSegment = 4;

    private readonly SpoolHome home = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => home.Dispose();

    /// <summary>The fixtures were written by the last version that knew no other format.</summary>
    [Theory]
    [InlineData("format-1-stopped")]
    [InlineData("format-1-killed")]
    public async Task A_spool_of_format_1_opens_with_all_its_messages_and_goes_on_in_format_2(string fixture)
    {
        var source = Path.Combine(AppContext.BaseDirectory, "Spool", "Fixtures", fixture);
        foreach (var path in Directory.GetFiles(source, "*.segment"))
            File.Copy(path, Path.Combine(Directory.CreateDirectory(home.Path).FullName, Path.GetFileName(path)));
        var expected = await File.ReadAllLinesAsync(Path.Combine(source, "messages.txt"), Ct);
        for (var life = 0; life < 3; life++)
        {
            await using var spool = home.Open();
            Assert.True(spool.Recovery.IsClean, Tell(spool));
            Assert.Equal(expected.Length + life, spool.Count);
            Assert.Equal(expected, await Task.WhenAll(spool.List().Take(expected.Length).Select(async entry =>
                $"{entry.Envelope.Id} {entry.Envelope.Sender} {string.Join(',', entry.Envelope.Recipients)} {entry.State.Attempts} {entry.Size} "
                + Convert.ToHexString(SHA256.HashData((await Samples.ReadAsync(spool, entry.Envelope.Id))!)))));
            await Samples.CommitAsync(spool, Samples.Content(100));
        }

        Assert.Equal(2u, SegmentHeader.Read(await File.ReadAllBytesAsync(home.Segments[^1], Ct))!.Value.Version);
    }

    [Fact]
    public async Task The_end_of_an_older_segment_of_format_1_is_proved_by_the_one_that_follows()
    {
        await A_spool_of_format_1_opens_with_all_its_messages_and_goes_on_in_format_2("format-1-stopped");
        var last = home.Segments.Last(static path => SegmentHeader.Read(File.ReadAllBytes(path))!.Value.Version == 1);
        await ZeroAsync(last, from: Samples.Records(await File.ReadAllBytesAsync(last, Ct)).Last().Offset);
        await using var spool = home.Open();
        Assert.Contains(spool.Recovery.Quarantined, damage => damage.Segment == last && damage.Reason.Contains("can be read", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Zeros_from_anywhere_to_the_end_of_an_older_segment_are_told_and_the_rest_is_served()
    {
        var ids = await FillAsync(segments: 4);
        var victim = home.Segments[1];
        var log = await File.ReadAllBytesAsync(victim, Ct);
        foreach (var offset in Samples.Records(log).Select(static r => r.Offset).Append(SegmentHeader.Size + 2000))
        {
            await ZeroAsync(victim, offset);
            await using (var spool = home.Open())
            {
                Assert.Contains(spool.Recovery.Quarantined, damage => damage.Segment == victim && damage.Offset <= offset);
                Assert.True(spool.Count >= ids.Count - PerSegment);
            }

            await File.WriteAllBytesAsync(victim, log, Ct);
        }
    }

    [Fact]
    public async Task A_zeroed_stretch_within_any_segment_is_told()
    {
        var ids = await FillAsync(segments: 3);
        foreach (var victim in home.Segments)
        {
            var log = await File.ReadAllBytesAsync(victim, Ct);
            var records = Samples.Records(log).ToArray();
            for (var i = 0; i + 1 < records.Length; i++)
            {
                var damaged = (byte[])log.Clone();
                damaged.AsSpan(records[i].Offset, records[i].Header.Stride).Clear();
                await File.WriteAllBytesAsync(victim, damaged, Ct);
                await using var spool = home.Open();
                Assert.Contains(spool.Recovery.Quarantined, damage => damage.Segment == victim && damage.Offset == records[i].Offset);
                Assert.True(spool.Count >= ids.Count - 1);
            }

            await File.WriteAllBytesAsync(victim, log, Ct);
        }
    }

    [Fact]
    public async Task An_older_segment_that_is_shorter_than_it_was_is_told()
    {
        var ids = await FillAsync(segments: 4);
        var victim = home.Segments[1];
        var log = await File.ReadAllBytesAsync(victim, Ct);
        foreach (var length in Samples.Records(log).Select(static r => r.Offset).Concat([0, 100, SegmentHeader.Size + 999]))
        {
            await File.WriteAllBytesAsync(victim, log.AsMemory(0, length), Ct);
            await using (var spool = home.Open())
            {
                Assert.Contains(spool.Recovery.Quarantined, damage => damage.Segment == victim);
                Assert.True(spool.Count >= ids.Count - PerSegment);
            }

            await File.WriteAllBytesAsync(victim, log, Ct);
        }
    }

    [Fact]
    public async Task A_segment_that_is_gone_is_told_by_its_number_until_the_log_goes_on_without_it()
    {
        var ids = await FillAsync(segments: 4);
        for (var i = 0; i < 3; i++)
        {
            var path = home.Segments[i];
            File.Move(path, path + ".away");
            await using (var spool = home.Open())
            {
                var missing = Assert.Single(spool.Recovery.Quarantined);
                Assert.Equal(path, missing.Segment);
                Assert.Contains("missing", missing.Reason, StringComparison.Ordinal);
                Assert.Equal(ids.Count - PerSegment, spool.Count);
            }

            File.Move(path + ".away", path);
        }

        await using var whole = home.Open();
        Assert.True(whole.Recovery.IsClean, Tell(whole));
    }

    [Fact]
    public async Task A_segment_that_was_retired_is_not_called_missing()
    {
        for (var life = 0; life < 4; life++)
        {
            await using var spool = home.Open();
            Assert.True(spool.Recovery.IsClean, Tell(spool));
            var ids = new List<QueueId>();
            for (var i = 0; i < 40; i++)
                ids.Add(await Samples.CommitAsync(spool, Samples.Content(15_000, i)));
            ids.ForEach(id => spool.Remove(id));
            await SpoolHome.UntilAsync(spool, () => home.Segments.Length <= 2);
        }

        Assert.InRange(Directory.GetFiles(home.Path, "*.retired").Length, 1, 12);
    }

    /// <summary>Its list alone says that those retired before it are not missing: the notes beside them are gone since it was begun.</summary>
    [Fact]
    public void The_newest_segment_stays_until_another_follows()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory.Spool);
        var (files, index) = (new SegmentFiles(), new SpoolIndex(TimeProvider.System));
        var store = new SegmentStore(files, directory.Spool, SegmentStore.SmallestSegment, new SpaceGuard(files, directory.Spool, reserve: 0, home.Clock), index);
        var compactor = new Compactor(index, store, home.Clock);
        var first = store.Create(stride: 64);
        lock (index.Gate)
            index.HasNewlyDead = true;
        compactor.Choose(head: null);
        Assert.False(compactor.WantsSync);

        store.Create(stride: 64);
        lock (index.Gate)
            index.HasNewlyDead = true;
        compactor.Choose(head: null);
        compactor.Finish();
        Assert.True(first.IsGone);
        index.Segments.ForEach(static segment => segment.Close());
    }

    [Fact]
    public async Task An_older_copy_of_a_segment_is_not_taken_for_the_segment()
    {
        byte[] early;
        string path;
        await using (var spool = home.Open())
        {
            await Samples.CommitAsync(spool, Samples.Content(15_000));
            path = home.Segments[0];
            early = await File.ReadAllBytesAsync(path, Ct);
            for (var i = 0; i < 10; i++)
                await Samples.CommitAsync(spool, Samples.Content(15_000, i));
        }

        await File.WriteAllBytesAsync(path, early, Ct);
        await using (var spool = home.Open())
            Assert.Contains(spool.Recovery.Quarantined, damage => damage.Segment == path && damage.Reason.Contains("records were there", StringComparison.Ordinal));

        var other = SegmentHeader.Read(early)!.Value with { Stamp = 4711 };
        other.Write(early);
        new SegmentFooter(default, []).ToRecord();
        await File.WriteAllBytesAsync(path, early.AsMemory(0, SegmentHeader.Size), Ct);
        await using var again = home.Open();
        Assert.Contains(again.Recovery.Quarantined, damage => damage.Segment == path);
    }

    /// <summary>Such a record leaves no gap, so only the sums tell: of the footer in the newest, and of the header that follows in an older one.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 1)]
    public async Task A_record_that_another_sound_one_has_replaced_is_told(int segments, int victim)
    {
        await FillAsync(segments);
        var path = home.Segments[victim];
        var log = await File.ReadAllBytesAsync(path, Ct);
        var stamp = SegmentHeader.Read(log)!.Value.Stamp;
        var (offset, header) = Samples.Records(log).First(static r => r.Header.Kind == RecordKind.Message);
        (header with { Kind = RecordKind.Chunk }).Write(log.AsSpan(offset), stamp, offset);
        await File.WriteAllBytesAsync(path, log, Ct);

        await using var again = home.Open();

        Assert.Contains(again.Recovery.Quarantined, damage => damage.Segment == path);
    }

    [Fact]
    public async Task A_segment_under_the_name_of_another_number_is_told()
    {
        await FillAsync(segments: 3);
        var path = home.Segments[1];
        var misnamed = Path.Combine(home.Path, "0000000000000009.segment");
        File.Move(path, misnamed);

        await using var again = home.Open();

        Assert.Contains(again.Recovery.Quarantined, damage => damage.Segment == misnamed);
    }

    /// <summary>A message names its chunks by place, length and sum.</summary>
    [Fact]
    public async Task A_chunk_that_another_sound_one_has_replaced_is_not_served_as_the_content()
    {
        QueueId id;
        await using (var spool = home.Open())
            id = await Samples.CommitAsync(spool, Samples.Content(200_000));
        var (path, offset, header) = home.Segments
            .SelectMany(static path => Samples.Records(File.ReadAllBytes(path)).Select(r => (path, r.Offset, r.Header)))
            .First(static r => r.Header.Kind == RecordKind.Chunk);
        var log = await File.ReadAllBytesAsync(path, Ct);
        var payload = log.AsSpan(offset + RecordHeader.Size, header.Length);
        payload.Fill((byte)'x');
        (header with { PayloadCrc = Crc32C.Of(payload) }).Write(log.AsSpan(offset), SegmentHeader.Read(log)!.Value.Stamp, offset);
        await File.WriteAllBytesAsync(path, log, Ct);

        await using var again = home.Open();

        Assert.Null(again.Find(id));
        Assert.Contains(again.Recovery.Quarantined, damage => damage.Message == id && damage.Reason == "a part of the content is missing or damaged");
    }

    [Fact]
    public async Task In_the_newest_segment_what_a_later_record_proves_synced_is_damage_and_the_rest_a_torn_write()
    {
        await using (var spool = home.Open())
        {
            for (var i = 0; i < 4; i++)
                await Samples.CommitAsync(spool, Samples.Content(3000, i));
        }

        var path = Assert.Single(home.Segments);
        var log = await File.ReadAllBytesAsync(path, Ct);
        var stamp = SegmentHeader.Read(log)!.Value.Stamp;
        var messages = Samples.Records(log).Where(static r => r.Header.Kind == RecordKind.Message).ToArray();
        Assert.All(messages, static r => Assert.Equal(r.Offset, r.Header.Synced));

        // The last two as if they had been written together; then the power fails.
        (messages[3].Header with { Synced = messages[2].Offset }).Write(log.AsSpan(messages[3].Offset), stamp, messages[3].Offset);
        log.AsSpan(messages[3].Offset + messages[3].Header.Stride).Clear();
        log.AsSpan(messages[0].Offset + 500, 512).Clear();
        log.AsSpan(messages[2].Offset + 500, 512).Clear();
        await File.WriteAllBytesAsync(path, log, Ct);
        await using (var spool = home.Open())
        {
            Assert.Equal(messages[0].Offset, Assert.Single(spool.Recovery.Quarantined).Offset);
            Assert.Equal(messages[2].Offset, Assert.Single(spool.Recovery.TornTails).Offset);
            Assert.Equal(2, spool.Count);
        }

        // The tear is told once, the loss as long as it is there.
        await using var again = home.Open();
        Assert.Empty(again.Recovery.TornTails);
        Assert.Equal(messages[0].Offset, Assert.Single(again.Recovery.Quarantined).Offset);
    }

    [Fact]
    public async Task After_a_crash_the_end_that_was_found_is_sealed()
    {
        await using (var spool = home.Open())
        {
            for (var i = 0; i < 3; i++)
                await Samples.CommitAsync(spool, Samples.Content(3000, i));
        }

        var path = Assert.Single(home.Segments);
        await ZeroAsync(path, from: Samples.Records(await File.ReadAllBytesAsync(path, Ct)).Last().Offset);
        await using (var spool = home.Open())
            Assert.True(spool.Recovery.IsClean, Tell(spool));
        var log = await File.ReadAllBytesAsync(path, Ct);
        Assert.Equal(RecordKind.Sealed, Samples.Records(log).Last().Header.Kind);
        log.AsSpan(Samples.Records(log).ElementAt(2).Offset, 600).Clear();
        await File.WriteAllBytesAsync(path, log, Ct);
        await using var again = home.Open();
        Assert.Single(again.Recovery.Quarantined);
    }

    [Fact]
    public async Task A_torn_end_that_cannot_be_copied_stays_and_is_no_damage_later()
    {
        await using (var spool = home.Open())
        {
            for (var i = 0; i < 3; i++)
                await Samples.CommitAsync(spool, Samples.Content(3000, i));
        }

        var path = Assert.Single(home.Segments);
        var log = await File.ReadAllBytesAsync(path, Ct);
        var last = Samples.Records(log).Last(static r => r.Header.Kind == RecordKind.Message).Offset;
        await ZeroAsync(path, from: last + 2001);
        var torn = log[last..(last + 2001)];
        home.Files.FailAlways(nameof(ISegmentFiles.Create), FaultyFiles.NoSpace);
        await using (var spool = home.Open())
        {
            Assert.Null(Assert.Single(spool.Recovery.TornTails).SavedAs);
            Assert.Empty(spool.Recovery.Quarantined);
            home.Files.Heal();
            home.Clock.Advance(TimeSpan.FromSeconds(2));
            await Samples.CommitAsync(spool, Samples.Content(100));
        }

        log = await File.ReadAllBytesAsync(path, Ct);
        Assert.Equal(torn, log[last..(last + torn.Length)]);
        await using var again = home.Open();
        Assert.True(again.Recovery.IsClean, Tell(again));
        Assert.Equal(3, again.Count);
    }

    /// <summary>A message that asks for more room than the segment has, at the wrong moment.</summary>
    [Fact]
    public async Task While_no_segment_can_be_made_the_last_one_goes_on_with_what_fits()
    {
        await using var spool = home.Open();
        var id = await Samples.CommitAsync(spool, Samples.Content(100));
        home.Files.FailAlways(nameof(ISegmentFiles.Create), FaultyFiles.TooManyOpenFiles);
        Assert.IsType<Relay.Spool.SpoolCommit.Failed>(await Samples.TryCommitAsync(spool, Samples.Content(200_000)));
        Assert.True(await spool.UpdateAsync(id, spool.Find(id)!.State with { Attempts = 3 }, Ct));
    }

    private static string Tell(SegmentSpool spool) => string.Join("; ", spool.Recovery.Quarantined.Concat(spool.Recovery.TornTails));

    private static async Task ZeroAsync(string path, int from)
    {
        var log = await File.ReadAllBytesAsync(path, Ct);
        log.AsSpan(from).Clear();
        await File.WriteAllBytesAsync(path, log, Ct);
    }

    private async Task<List<QueueId>> FillAsync(int segments)
    {
        var ids = new List<QueueId>();
        await using var spool = home.Open();
        for (var i = 0; i < segments * PerSegment; i++)
            ids.Add(await Samples.CommitAsync(spool, Samples.Content(15_000, i)));
        Assert.Equal(segments, home.Segments.Length);
        return ids;
    }
}
