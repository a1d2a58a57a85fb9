using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Tests.Spool;

/// <summary>What was answered 451 after a failed sync does not come back with the restart, and what was acknowledged does.</summary>
public sealed class DistrustNoteTests : IDisposable
{
    private readonly SpoolHome home = new();

    private string Note => Path.Combine(home.Path, "distrust");

    public void Dispose() => home.Dispose();

    [Theory]
    [InlineData(nameof(ISegmentFiles.Sync), 0)]
    [InlineData(nameof(ISegmentFiles.Write), 0)]
    [InlineData(nameof(ISegmentFiles.Write), 100_000)]
    public async Task What_was_refused_after_a_failed_sync_does_not_come_back(string call, int written)
    {
        var kept = await FailAsync(call, written);

        Assert.True(File.Exists(Note));
        await AssertOnlyAsync(kept);
        Assert.False(File.Exists(Note));
    }

    [Fact]
    public async Task What_was_refused_does_not_come_back_in_a_copy_of_the_spool_either()
    {
        var kept = await FailAsync(nameof(ISegmentFiles.Sync), written: 0);
        using var elsewhere = new TemporaryDirectory();

        SpoolCopy.Run(home.Path, Directory.CreateDirectory(elsewhere.Spool).FullName, TestContext.Current.CancellationToken);
        Directory.Delete(home.Path, recursive: true);
        Directory.Move(elsewhere.Spool, home.Path);

        await AssertOnlyAsync(kept);
    }

    [Fact]
    public async Task The_note_and_the_cut_are_on_the_disk_before_anything_rests_on_them()
    {
        await FailAsync(nameof(ISegmentFiles.Sync), written: 0);
        string[] written = [nameof(ISegmentFiles.Create), nameof(ISegmentFiles.Write), nameof(ISegmentFiles.Sync), nameof(ISegmentFiles.SyncDirectory)];
        Assert.Equal(written, home.Files.Calls.TakeLast(written.Length));

        home.Files.Calls.Clear();
        await using var again = home.Open();

        string[] honoured = [nameof(ISegmentFiles.Truncate), nameof(ISegmentFiles.Sync), nameof(ISegmentFiles.Delete), nameof(ISegmentFiles.SyncDirectory)];
        Assert.Equal(honoured, home.Files.Calls.SkipWhile(static call => call != nameof(ISegmentFiles.Truncate)).Take(honoured.Length));
    }

    [Fact]
    public async Task The_cut_is_told()
    {
        await FailAsync(nameof(ISegmentFiles.Sync), written: 0);

        await using var again = home.Open();

        Assert.Contains(again.Recovery.TornTails, static tail => tail.Reason == "its sync failed, and nothing in it was acknowledged");
    }

    [Fact]
    public async Task An_error_at_any_call_that_honours_the_note_opens_nothing_and_the_next_start_honours_it()
    {
        string[] calls = [nameof(ISegmentFiles.List), nameof(ISegmentFiles.Open), nameof(ISegmentFiles.Read), nameof(ISegmentFiles.Truncate), nameof(ISegmentFiles.Sync), nameof(ISegmentFiles.Delete)];
        foreach (var call in calls)
        {
            using var fresh = new DistrustNoteTests();
            var kept = await fresh.FailAsync(nameof(ISegmentFiles.Sync), written: 0);
            fresh.home.Files.FailOnce(call, FaultyFiles.InputOutputError);
            Assert.Throws<SpoolUnavailableException>(() => fresh.home.Open());
            fresh.home.Files.Heal();
            await fresh.AssertOnlyAsync(kept);
        }
    }

    [Fact]
    public async Task A_note_that_cannot_be_written_is_told()
    {
        await using var spool = home.Open();
        await Samples.CommitAsync(spool, Samples.Content(10));
        home.Files.Fault = static call => call is nameof(ISegmentFiles.Sync) or nameof(ISegmentFiles.Create) ? FaultyFiles.InputOutputError : 0;

        await Samples.TryCommitAsync(spool, Samples.Content(10));

        Assert.Contains("messages refused now may come back then", spool.Status.Reason, StringComparison.Ordinal);
        Assert.IsType<SpoolCommit.Failed>(await Samples.TryCommitAsync(spool, Samples.Content(10)));
    }

    [Theory]
    [InlineData(0, 8, false)]                   // torn
    [InlineData(17, 0, true)]                   // of another life of the file
    [InlineData(25, 0, false)]                  // damaged
    public async Task A_note_that_is_torn_damaged_or_means_another_file_cuts_nothing(int changed, int cutTo, bool isSound)
    {
        await FailAsync(nameof(ISegmentFiles.Sync), written: 0);
        var octets = await File.ReadAllBytesAsync(Note, TestContext.Current.CancellationToken);
        if (cutTo > 0)
        {
            octets = octets[..cutTo];
        }
        else
        {
            octets[changed] ^= 1;
            if (isSound)
                BitConverter.TryWriteBytes(octets.AsSpan(32), Crc32C.Of(octets.AsSpan(0, 32)));
        }

        await File.WriteAllBytesAsync(Note, octets, TestContext.Current.CancellationToken);

        await using var again = home.Open();

        Assert.Equal(2, again.Count);
        Assert.False(File.Exists(Note));
    }

    /// <summary>One message acknowledged, one refused, and the end of that life; answers the first one.</summary>
    private async Task<QueueId> FailAsync(string call, int written)
    {
        await using var spool = home.Open();
        var kept = await Samples.CommitAsync(spool, Samples.Content(3000));
        home.Files.PartialWrite = written;
        home.Files.FailOnce(call, FaultyFiles.InputOutputError);
        Assert.IsType<SpoolCommit.Failed>(await Samples.TryCommitAsync(spool, Samples.Content(10)));
        home.Files.Heal();
        return kept;
    }

    private async Task AssertOnlyAsync(QueueId kept)
    {
        await using (var again = home.Open())
        {
            Assert.Equal(kept, Assert.Single(again.List()).Envelope.Id);
            await Samples.CommitAsync(again, Samples.Content(10));
        }

        await using var third = home.Open();
        Assert.Equal((2, true), (third.Count, third.Recovery.IsClean));
    }
}
