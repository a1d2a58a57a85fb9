using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Relay.Spool.Segments.Log;

namespace Postern.Relay.Tests.Spool;

/// <summary>A report carries the state of the message that it tells of, in one record of the log.</summary>
public sealed class SettlementTests : IDisposable
{
    private readonly SpoolHome home = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => home.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Wherever_a_write_is_cut_short_there_are_both_or_neither(int messages)
    {
        QueueId report;
        var told = new List<QueueId>();
        await using (var spool = home.Open())
        {
            for (var i = 0; i < messages; i++)
                told.Add(await Samples.CommitAsync(spool, Samples.Content(100)));
            report = await ReportAsync(spool, told, Samples.Content(3000));
        }

        var path = home.Segments.Single();
        var whole = await File.ReadAllBytesAsync(path, Ct);
        var (start, header) = Samples.Records(whole).Last(static r => r.Header.Kind == RecordKind.Message);
        var (both, neither) = (0, 0);
        for (var end = start; end <= start + header.Stride; end += 89)
        {
            using var cut = new TemporaryDirectory();
            Directory.CreateDirectory(cut.Spool);
            await File.WriteAllBytesAsync(Path.Combine(cut.Spool, Path.GetFileName(path)), whole[..end], Ct);
            await using var spool = SegmentSpool.Open(new SegmentSpoolOptions { Directory = cut.Spool, SegmentSize = home.SegmentSize, Reserve = 0 }, TimeProvider.System);
            var isReported = spool.Find(report) is not null;
            Assert.All(told, id => Assert.Equal(isReported ? 1 : 0, spool.Find(id)!.State.Attempts));
            (both, neither) = isReported ? (both + 1, neither) : (both, neither + 1);
        }

        await using var again = home.Open();
        Assert.All(told, id => Assert.Equal(1, again.Find(id)!.State.Attempts));
        Assert.NotNull(again.Find(report));
        Assert.True(neither > 20, $"{both} {neither}");
    }

    /// <summary>The segment of the report goes, when nothing else lives in it: the state must not go with it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_state_outlives_the_record_of_its_report_and_stays_the_newest(bool isReportRemoved)
    {
        QueueId told, report;
        await using (var spool = home.Open())
        {
            told = await Samples.CommitAsync(spool, Samples.Content(100));
            var filling = new List<QueueId>();
            for (var i = 0; i < 20; i++)
                filling.Add(await Samples.CommitAsync(spool, Samples.Content(10_000)));
            report = await ReportAsync(spool, told, Samples.Content(3000));
            var home2 = home.Segments[^1];
            for (var i = 0; i < 20; i++)
                filling.Add(await Samples.CommitAsync(spool, Samples.Content(10_000)));
            filling.ForEach(id => spool.Remove(id));
            if (isReportRemoved)
                spool.Remove(report);
            await SpoolHome.UntilAsync(spool, () => !File.Exists(home2));
            Assert.Equal(1, spool.Find(told)!.State.Attempts);
        }

        await using (var again = home.Open())
        {
            Assert.True(again.Recovery.IsClean);
            Assert.Equal(1, again.Find(told)!.State.Attempts);
            Assert.Equal(!isReportRemoved, again.Find(report) is not null);
            await again.UpdateAsync(told, again.Find(told)!.State with { Attempts = 2 }, Ct);
        }

        await using var last = home.Open();
        Assert.Equal(2, last.Find(told)!.State.Attempts);
    }

    [Fact]
    public async Task A_message_that_is_removed_stays_so_whatever_reports_tell_of_it()
    {
        await using (var spool = home.Open())
        {
            var told = await Samples.CommitAsync(spool, Samples.Content(100));
            await ReportAsync(spool, told, Samples.Content(10));
            spool.Remove(told);
        }

        await using var again = home.Open();
        Assert.True(again.Recovery.IsClean);
        Assert.Equal(1, again.Count);
    }

    private static Task<QueueId> ReportAsync(SegmentSpool spool, QueueId told, byte[] content) => ReportAsync(spool, [told], content);

    private static async Task<QueueId> ReportAsync(SegmentSpool spool, List<QueueId> told, byte[] content)
    {
        await using var claims = await spool.OpenClaimsAsync(Ct);
        var settled = new List<SpoolClaim.Settled>();
        foreach (var id in told)
        {
            var claim = (await claims.ClaimAsync(id, Ct))!;
            settled.Add(new SpoolClaim.Settled(claim, claim.Entry.State with { Attempts = 1 }));
        }

        var envelope = Samples.Envelope() with { ReportOf = new ReportOrigin(told[0], "because") };
        await using var draft = spool.CreateDraft();
        await draft.AppendAsync(content, Ct);
        Assert.IsType<SpoolCommit.Durable>(await claims.CommitAsync(settled, draft, envelope, Samples.FreshState(envelope), Ct));
        return envelope.Id;
    }
}
