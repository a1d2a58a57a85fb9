using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Tests.Spool;

/// <summary>What cannot be read is not empty: the spool does not open, and everything stays as it is for another try.</summary>
public sealed class OpeningFaultTests : IDisposable
{
    private readonly SpoolHome home = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => home.Dispose();

    [Theory]
    [InlineData(FaultyFiles.InputOutputError)]
    [InlineData(FaultyFiles.AccessDenied)]
    [InlineData(FaultyFiles.TooManyOpenFiles)]
    public async Task Whatever_cannot_be_read_while_opening_the_files_stay_as_they_are_octet_for_octet(int errno)
    {
        var expected = await MakeAsync();
        var before = Everything();
        foreach (var call in new[] { nameof(ISegmentFiles.List), nameof(ISegmentFiles.Open), nameof(ISegmentFiles.Length), nameof(ISegmentFiles.Read) })
        {
            for (var nth = 1; await FailsAsync(call, errno, nth) is { } e; nth++)
            {
                Assert.Contains("nothing in it was changed", e.Message, StringComparison.Ordinal);
                Assert.Contains($"planted in {call}", e.Message, StringComparison.Ordinal);
                Assert.Equal(before, Everything());
            }

            // The last round met no fault, and put the spool in order; the next call begins with it as it was.
            Restore(before);
        }

        await using var spool = home.Open();
        Assert.Equal(expected, spool.List().Select(static entry => entry.Envelope.Id));
    }

    [Theory]
    [InlineData(FaultyFiles.InputOutputError)]
    [InlineData(FaultyFiles.AccessDenied)]
    [InlineData(FaultyFiles.NoSpace)]
    public async Task Whatever_cannot_be_put_in_order_while_opening_no_message_is_lost(int errno)
    {
        var expected = await MakeAsync();
        var before = Everything();
        foreach (var call in new[]
        {
            nameof(ISegmentFiles.Create), nameof(ISegmentFiles.Write), nameof(ISegmentFiles.Sync), nameof(ISegmentFiles.Truncate),
            nameof(ISegmentFiles.Rename), nameof(ISegmentFiles.Delete), nameof(ISegmentFiles.SyncDirectory), nameof(ISegmentFiles.Read),
        })
        {
            home.Files.Calls.Clear();
            await using (home.Open())
            {
            }

            var calls = home.Files.CountOf(call);
            for (var nth = 1; nth <= calls; nth++)
            {
                Restore(before);
                await FailsAsync(call, errno, nth);
                await using var spool = home.Open();
                Assert.Equal(expected, spool.List().Select(static entry => entry.Envelope.Id));
            }

            Restore(before);
        }
    }

    [Fact]
    public async Task The_error_names_the_file_the_octet_and_the_number_of_the_error()
    {
        await using (var spool = home.Open())
        {
            for (var i = 0; i < 5; i++)
                await Samples.CommitAsync(spool, Samples.Content(9000, i));
        }

        home.Files.UnreadableAt = 12_345;
        var e = Assert.Throws<SpoolUnavailableException>(() => home.Open());
        Assert.Contains($"{home.Segments[0]} cannot be read at octet 0: planted in Read (errno 5)", e.Message, StringComparison.Ordinal);
        home.Files.UnreadableAt = -1;
        await using var again = home.Open();
        Assert.Equal(5, again.Count);
    }

    [Fact]
    public async Task A_file_that_ends_before_its_length_is_an_error_and_not_zeros()
    {
        await using (var spool = home.Open())
            await Samples.CommitAsync(spool, Samples.Content(9000));
        var before = Everything();
        home.Files.IsShortened = true;
        var e = Assert.Throws<SpoolUnavailableException>(() => home.Open());
        Assert.Contains("the file ends there", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Everything());
    }

    /// <summary>The reading of damage, for the copy of it, is a reading too.</summary>
    [Fact]
    public async Task Damage_that_can_no_longer_be_read_is_not_copied_as_zeros_and_keeps_its_segment()
    {
        await using (var whole = home.Open())
        {
            for (var i = 0; i < 8; i++)
                await Samples.CommitAsync(whole, Samples.Content(15_000, i));
        }

        var log = await File.ReadAllBytesAsync(home.Segments[0], Ct);
        log[5000] ^= 1;
        await File.WriteAllBytesAsync(home.Segments[0], log, Ct);
        var calls = 0;
        home.Files.Calls.Clear();
        home.Files.Fault = call =>
        {
            calls += call == nameof(ISegmentFiles.Create) ? 1 : 0;
            return calls > 0 && call == nameof(ISegmentFiles.Read) ? FaultyFiles.InputOutputError : 0;
        };
        await using var spool = home.Open();
        Assert.NotEmpty(spool.Recovery.Quarantined);
        Assert.All(spool.Recovery.Quarantined, static damage => Assert.Null(damage.SavedAs));
        Assert.DoesNotContain(home.Quarantined, static path => path.EndsWith(".damaged", StringComparison.Ordinal));

        // It is all there is of that message. The segment behind it goes, and it does not.
        home.Files.Heal();
        var (first, second) = (home.Segments[0], home.Segments[1]);
        foreach (var entry in spool.List().ToList())
            spool.Remove(entry.Envelope.Id);
        await SpoolHome.UntilAsync(spool, () => !File.Exists(second));
        Assert.True(File.Exists(first));
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_in_service_stays_and_so_does_its_segment()
    {
        await using var spool = home.Open();
        var content = Samples.Content(10_000);
        var id = await Samples.CommitAsync(spool, content);
        var first = home.Segments[0];
        home.Files.Fault = static call => call == nameof(ISegmentFiles.Read) ? FaultyFiles.InputOutputError : 0;
        await Assert.ThrowsAsync<IOException>(() => Samples.ReadAsync(spool, id));
        for (var i = 0; i < 60; i++)
            spool.Remove(await Samples.CommitAsync(spool, Samples.Content(10_000, i)));
        await SpoolHome.UntilAsync(spool, () => home.Segments.Length <= 4);

        Assert.True(File.Exists(first));
        Assert.NotNull(spool.Find(id));
        Assert.Equal(SpoolCondition.Writable, spool.Status.Condition);
        home.Files.Heal();
        Assert.Equal(content, await Samples.ReadAsync(spool, id));
    }

    /// <summary>A spool with something of everything that opening clears away; the messages that it holds.</summary>
    private async Task<List<QueueId>> MakeAsync()
    {
        var ids = new List<QueueId>();
        await using (var spool = home.Open())
        {
            for (var i = 0; i < 12; i++)
                ids.Add(await Samples.CommitAsync(spool, Samples.Content(15_000, i)));
            Assert.True(spool.Remove(ids[5]));
            ids.RemoveAt(5);
            ids.Add(await Samples.CommitAsync(spool, Samples.Content(100)));     // the removal stands before the record that is cut off
            await Samples.CommitAsync(spool, Samples.Content(200));
        }

        var newest = home.Segments[^1];
        var log = await File.ReadAllBytesAsync(newest, Ct);
        var last = Samples.Records(log).Last(static r => r.Header.Kind == RecordKind.Message).Offset;
        log[last + RecordHeader.Size + 20] ^= 1;
        log.AsSpan(last + 300).Clear();         // without the footer it looks like a write that the power cut short
        await File.WriteAllBytesAsync(newest, log, Ct);
        var second = await File.ReadAllBytesAsync(home.Segments[1], Ct);
        second[SegmentHeader.CopySize + 3] ^= 1;
        var victim = Samples.FirstMessage(second);
        second[victim + RecordHeader.Size + 5000] ^= 1;
        Assert.True(ids.Remove(IdOf(second, victim)));
        await File.WriteAllBytesAsync(home.Segments[1], second, Ct);
        await File.WriteAllBytesAsync(Path.Combine(home.Path, "00000000000000fe.spare"), Samples.Content(5000), Ct);
        await File.WriteAllBytesAsync(Path.Combine(home.Path, "00000000000000ff.segment"), new byte[4096], Ct);
        return ids;
    }

    private static QueueId IdOf(byte[] log, int offset) =>
        MessagePayload.TryRead(log.AsSpan(offset + RecordHeader.Size, BitConverter.ToInt32(log, offset + 8)), out var message)
            ? message.Id
            : throw new InvalidOperationException("This is no message");

    /// <summary>Null when it opened.</summary>
    private async Task<SpoolUnavailableException?> FailsAsync(string call, int errno, int nth)
    {
        home.Files.FailOnce(call, errno, nth);
        try
        {
            await using (home.Open())
                return null;
        }
        catch (SpoolUnavailableException e)
        {
            return e;
        }
        finally
        {
            home.Files.Heal();
        }
    }

    private string[] Everything() =>
    [
        .. Directory.GetFiles(home.Path, "*", SearchOption.AllDirectories)
            .Where(static path => Path.GetFileName(path) != "lock")
            .Order(StringComparer.Ordinal)
            .Select(static path => $"{path} {Convert.ToHexString(File.ReadAllBytes(path))}"),
    ];

    private void Restore(string[] files)
    {
        foreach (var path in Directory.GetFiles(home.Path, "*", SearchOption.AllDirectories))
            File.Delete(path);
        foreach (var file in files)
            File.WriteAllBytes(file[..file.IndexOf(' ')], Convert.FromHexString(file[(file.IndexOf(' ') + 1)..]));
    }
}
