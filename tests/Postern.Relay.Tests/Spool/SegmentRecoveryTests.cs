using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Tests.Spool;

public sealed class SegmentRecoveryTests : IDisposable
{
    private readonly SpoolHome home = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => home.Dispose();

    [Fact]
    public async Task Messages_states_and_removals_survive_reopening()
    {
        var expected = new List<string>();
        await using (var spool = home.Open())
        {
            for (var i = 0; i < 30; i++)
            {
                var id = await Samples.CommitAsync(spool, Samples.Content(3000 * (i % 5), i), Samples.Envelope(1 + (i % 3)));
                if (i % 4 == 0)
                    spool.Remove(id);
                else if (i % 4 == 1)
                    await spool.UpdateAsync(id, spool.Find(id)!.State with { Attempts = i }, Ct);
            }

            expected.AddRange(spool.List().Select(Samples.Describe));
        }

        await using var again = home.Open();
        Assert.Equal(expected, again.List().Select(Samples.Describe));
        Assert.True(again.Recovery.IsClean);
        Assert.Equal(expected.Count, again.Recovery.Messages);
    }

    [Fact]
    public async Task The_log_cut_at_any_octet_gives_back_a_prefix()
    {
        List<(QueueId Id, byte[] Content)> messages = [];
        await using (var spool = home.Open())
        {
            for (var i = 0; i < 3; i++)
            {
                var content = Samples.Content(50 + (i * 7), i);
                messages.Add((await Samples.CommitAsync(spool, content), content));
            }
        }

        var path = Assert.Single(home.Segments);
        var log = await File.ReadAllBytesAsync(path, Ct);
        log = log[..(Array.FindLastIndex(log, static octet => octet != 0) + 1)];
        var before = messages.Count;
        for (var cut = log.Length; cut >= 0; cut--)
        {
            await File.WriteAllBytesAsync(path, log[..cut], Ct);
            await using var spool = home.Open();
            var list = spool.List();
            Assert.InRange(list.Count, 0, before);
            before = list.Count;
            Assert.Equal(messages.Take(list.Count).Select(static m => m.Id), list.Select(static e => e.Envelope.Id));
            foreach (var (id, content) in messages.Take(list.Count))
                Assert.Equal(content, await Samples.ReadAsync(spool, id));
            Assert.Empty(spool.Recovery.Quarantined);
        }

        Assert.Equal(0, before);
    }

    [Fact]
    public async Task A_torn_tail_is_listed_once_and_then_cut()
    {
        QueueId kept;
        await using (var spool = home.Open())
        {
            kept = await Samples.CommitAsync(spool, Samples.Content(100));
            await Samples.CommitAsync(spool, Samples.Content(2000));
        }

        var path = Assert.Single(home.Segments);
        await using (var file = new FileStream(path, FileMode.Open))
            file.SetLength(SegmentHeader.Size + 1500);
        await using (var spool = home.Open())
        {
            var tail = Assert.Single(spool.Recovery.TornTails);
            Assert.True(File.Exists(tail.SavedAs));
            Assert.Equal(kept, Assert.Single(spool.List()).Envelope.Id);
        }

        await using var again = home.Open();
        Assert.True(again.Recovery.IsClean);
        Assert.Equal(1, again.Count);
    }

    [Fact]
    public async Task A_flipped_bit_is_listed_and_never_returned_as_content()
    {
        var contents = new Dictionary<QueueId, byte[]>();
        await using (var spool = home.Open())
        {
            for (var i = 0; i < 4; i++)
            {
                var content = Samples.Content(70_000 * (i % 2) + 400, i);
                contents.Add(await Samples.CommitAsync(spool, content), content);
            }

            var id = contents.Keys.First();
            await spool.UpdateAsync(id, spool.Find(id)!.State with { Attempts = 1 }, Ct);
        }

        var original = Directory.GetFiles(home.Path, "*.segment").ToDictionary(static path => path, File.ReadAllBytes);
        var random = new Random(11);
        for (var round = 0; round < 150; round++)
        {
            foreach (var (path, octets) in original)
                await File.WriteAllBytesAsync(path, octets, Ct);
            var (victim, log) = original.ElementAt(random.Next(original.Count));
            var damaged = (byte[])log.Clone();
            var used = Array.FindLastIndex(log, static octet => octet != 0) + 1;
            var at = round < 40 ? round * 4 : random.Next(used);
            var wasZero = damaged[at] == 0;
            damaged[at] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(victim, damaged, Ct);

            await using var spool = home.Open();
            var report = spool.Recovery;
            foreach (var entry in spool.List())
                Assert.Equal(contents[entry.Envelope.Id], await Samples.ReadAsync(spool, entry.Envelope.Id));
            Assert.True(spool.Count >= contents.Count - 1, $"one bit at {at} of {victim} took {contents.Count - spool.Count} messages");
            Assert.True(spool.Count == contents.Count || !report.IsClean, $"the loss by one bit at {at} of {victim} is not listed");
            Assert.True(wasZero || !report.IsClean, $"one bit at {at} of {victim} went unnoticed");
            Assert.All(report.Quarantined.Where(static d => d.Offset >= 128), static d => Assert.True(File.Exists(d.SavedAs), d.Reason));
        }
    }

    [Fact]
    public async Task One_flipped_bit_brings_back_at_most_64_removed_messages()
    {
        using var roomy = new SpoolHome { SegmentSize = 4 << 20 };
        await using (var spool = roomy.Open())
        {
            var ids = await Task.WhenAll(Enumerable.Range(0, 500).Select(i => Samples.CommitAsync(spool, Samples.Content(10, i))));
            foreach (var id in ids)
                spool.Remove(id);
        }

        var path = Assert.Single(roomy.Segments);
        var log = await File.ReadAllBytesAsync(path, Ct);
        var worst = 0;
        foreach (var (at, _) in Samples.Records(log).Where(static r => r.Header.Kind == RecordKind.Removed))
        {
            var damaged = (byte[])log.Clone();
            damaged[at + RecordHeader.Size] ^= 1;
            foreach (var segment in roomy.Segments)
                File.Delete(segment);
            await File.WriteAllBytesAsync(path, damaged, Ct);
            await using var spool = roomy.Open();
            worst = Math.Max(worst, spool.Count);
            Assert.False(spool.Recovery.IsClean);
        }

        Assert.InRange(worst, 1, 64);
    }

    [Fact]
    public async Task A_message_whose_chunk_is_lost_is_quarantined_and_named()
    {
        QueueId big;
        QueueId small;
        await using (var spool = home.Open())
        {
            big = await Samples.CommitAsync(spool, Samples.Content(200_000));
            small = await Samples.CommitAsync(spool, Samples.Content(100));
        }

        File.Delete(home.Segments[0]);
        await using var again = home.Open();
        Assert.Equal(small, Assert.Single(again.List()).Envelope.Id);
        Assert.Contains(again.Recovery.Quarantined, damage => damage.Message == big);
        Assert.Contains(again.Recovery.Quarantined, damage => damage.Reason.StartsWith("the segment is missing", StringComparison.Ordinal));
        Assert.NotEmpty(home.Quarantined);
    }

    [Fact]
    public async Task A_record_mailed_to_us_is_not_taken_for_one_of_ours()
    {
        var bait = new byte[RecordHeader.Size * 40];
        for (var at = 0; at + RecordHeader.Size <= bait.Length; at += RecordHeader.Size)
            new RecordHeader(RecordKind.Removed, 0, Crc32C.Of([]), 0).Write(bait.AsSpan(at), stamp: 1, offset: at);
        QueueId first;
        await using (var spool = home.Open())
        {
            first = await Samples.CommitAsync(spool, bait);
            await Samples.CommitAsync(spool, Samples.Content(100));
        }

        var path = Assert.Single(home.Segments);
        var log = await File.ReadAllBytesAsync(path, Ct);
        var victim = Samples.FirstMessage(log);
        log[victim + 8] ^= 1;                      // the length: the scan must look for the next record inside the bait
        await File.WriteAllBytesAsync(path, log, Ct);
        await using var again = home.Open();
        Assert.Null(again.Find(first));
        Assert.Equal(1, again.Count);
        Assert.Equal(victim, Assert.Single(again.Recovery.Quarantined).Offset);
    }

    [Fact]
    public async Task A_segment_that_lost_its_header_is_set_aside_whole()
    {
        await using (var spool = home.Open())
        {
            for (var i = 0; i < 3; i++)
                await Samples.CommitAsync(spool, Samples.Content(60_000, i));
        }

        var path = home.Segments[0];
        var log = await File.ReadAllBytesAsync(path, Ct);
        log.AsSpan(0, SegmentHeader.Size).Clear();
        await File.WriteAllBytesAsync(path, log, Ct);
        await using var again = home.Open();
        Assert.Equal(2, again.Count);
        var damage = Assert.Single(again.Recovery.Quarantined);
        Assert.Equal(log, await File.ReadAllBytesAsync(damage.SavedAs!, Ct));
    }

    [Fact]
    public async Task A_segment_that_was_never_begun_is_no_damage()
    {
        await using (var spool = home.Open())
            await Samples.CommitAsync(spool, Samples.Content(100));
        await File.WriteAllBytesAsync(Path.Combine(home.Path, "00000000000000ff.segment"), new byte[4096], Ct);
        await using var again = home.Open();
        Assert.True(again.Recovery.IsClean);
        Assert.Equal(1, again.Count);
    }

    [Fact]
    public async Task A_segment_of_a_newer_format_is_left_alone()
    {
        await using (var spool = home.Open())
            await Samples.CommitAsync(spool, Samples.Content(100));
        var path = Assert.Single(home.Segments);
        var log = await File.ReadAllBytesAsync(path, Ct);
        var header = SegmentHeader.Read(log)!.Value;
        (header with { Version = 3 }).Write(log);
        await File.WriteAllBytesAsync(path, log, Ct);
        var e = Assert.Throws<SpoolUnavailableException>(() => home.Open());
        Assert.Contains("format 3", e.Message);
        Assert.Equal(log, await File.ReadAllBytesAsync(path, Ct));
    }

    /// <summary>It is whole: set aside as damage, it would be thrown away with its segment.</summary>
    [Fact]
    public async Task A_message_with_a_newer_envelope_is_left_alone()
    {
        await using (var spool = home.Open())
            await Samples.CommitAsync(spool, Samples.Content(100));
        var path = Assert.Single(home.Segments);
        var log = await File.ReadAllBytesAsync(path, Ct);
        var stamp = SegmentHeader.Read(log)!.Value.Stamp;
        var (at, record) = Samples.Records(log).First(static r => r.Header.Kind == RecordKind.Message);
        var payload = log.AsMemory(at + RecordHeader.Size, record.Length);
        payload.Span[payload.Span.IndexOf("\"v\":1"u8) + 4] = (byte)('0' + StoredEnvelope.CurrentVersion + 1);
        (record with { PayloadCrc = Crc32C.Of(payload.Span) }).Write(log.AsSpan(at), stamp, at);
        await File.WriteAllBytesAsync(path, log, Ct);

        var e = Assert.Throws<SpoolUnavailableException>(() => home.Open());

        Assert.Contains($"envelope of version {StoredEnvelope.CurrentVersion + 1}", e.Message, StringComparison.Ordinal);
        Assert.Equal(log, await File.ReadAllBytesAsync(path, Ct));
        Assert.Empty(home.Quarantined);
    }

    [Fact]
    public async Task Damage_met_while_running_is_an_error_of_that_message_alone()
    {
        await using var spool = home.Open();
        var first = await Samples.CommitAsync(spool, Samples.Content(3000, 1));
        var content = Samples.Content(3000, 2);
        var second = await Samples.CommitAsync(spool, content);
        var log = await File.ReadAllBytesAsync(home.Segments[0], Ct);
        await using (var file = new FileStream(home.Segments[0], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Position = 1000;
            file.WriteByte((byte)(log[1000] ^ 4));
        }

        await Assert.ThrowsAsync<InvalidDataException>(() => Samples.ReadAsync(spool, first));
        Assert.Equal(content, await Samples.ReadAsync(spool, second));
        Assert.Equal(SpoolCondition.Writable, spool.Status.Condition);
    }
}
