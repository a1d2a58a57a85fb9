using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Scheduling;
using Postern.Relay.Envelopes;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;
using Postern.Relay.Spool.Memory;
using Postern.Relay.Spool.Segments.Disk;
using Postern.Relay.Tests.Delivery;
using Postern.Relay.Tests.Spool;
using Postern.Testing;

namespace Postern.Relay.Tests.Kept;

/// <summary>Content is kept from the end of the delivery on for exactly its time, and never in the way of mail.</summary>
public sealed class ContentKeeperTests : IAsyncDisposable
{
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    private readonly TemporaryDirectory directory = new();
    private readonly ManualClock clock = new(Samples.Envelope().ArrivedAt);
    private readonly RecordingAudit audit = new();
    private readonly MemorySpool spool;
    private readonly KeptFolder folder;
    private readonly List<ContentKeeper> keepers = [];
    private DiskSpace space = new(Total: 1 << 30, Free: 1 << 30);

    public ContentKeeperTests() => (spool, folder) = (new MemorySpool(clock), new KeptFolder(Path.Combine(directory.Path, "kept")));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private int Files => Directory.Exists(folder.Path) ? Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Length : 0;

    public async ValueTask DisposeAsync()
    {
        foreach (var keeper in keepers)
            await keeper.DisposeAsync();
        directory.Dispose();
    }

    [Fact]
    public async Task Content_is_there_until_its_time_and_gone_then()
    {
        var keeper = await StartAsync();
        var (first, second) = (await EndAsync(Week), await EndAsync(Week + TimeSpan.FromMinutes(1)));
        await keeper.KeepAsync(spool, [first, second], Ct);

        clock.Advance(Week - TimeSpan.FromMilliseconds(1));
        Assert.Equal((2, 2), (Files, keeper.Count.Messages));
        Assert.Equal(clock.GetUtcNow() + TimeSpan.FromMilliseconds(1), folder.Find(first.Envelope.Id, clock.GetUtcNow())!.Value.Until);
        clock.Advance(TimeSpan.FromMilliseconds(2));
        Assert.Equal((1, 1), (Files, keeper.Count.Messages));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((0, (0, 0L)), (Files, keeper.Count));
    }

    [Fact]
    public async Task A_clock_that_is_set_forward_ends_what_is_over_by_it()
    {
        var keeper = await StartAsync();
        await keeper.KeepAsync(spool, [await EndAsync(Week)], Ct);

        clock.Set(Week);
        clock.Advance(TimeSpan.FromSeconds(11));

        Assert.Equal(0, Files);
    }

    [Fact]
    public async Task Another_server_on_the_same_directory_removes_at_its_time_and_what_is_over_at_once()
    {
        var first = await StartAsync();
        await first.KeepAsync(spool, [await EndAsync(Week), await EndAsync(TimeSpan.FromDays(9))], Ct);
        await first.DisposeAsync();
        clock.Advance(TimeSpan.FromDays(8));
        Assert.Equal(2, Files);

        var second = await StartAsync();
        Assert.Equal((1, 1), (Files, second.Count.Messages));
        clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, Files);
        clock.Advance(TimeSpan.FromMilliseconds(2));
        Assert.Equal(0, Files);
    }

    [Fact]
    public async Task What_is_kept_already_stays_as_it_is_and_what_is_not_to_be_kept_makes_no_file()
    {
        var keeper = await StartAsync();
        var (kept, not) = (await EndAsync(Week), await EndAsync(keep: null));
        await keeper.KeepAsync(spool, [not], Ct);
        Assert.False(Directory.Exists(folder.Path));
        await keeper.KeepAsync(spool, [kept], Ct);
        await keeper.KeepAsync(spool, [kept with { State = kept.State with { TriedAt = clock.GetUtcNow() + TimeSpan.FromHours(1) } }], Ct);

        Assert.Equal((1, 1), (Files, keeper.Count.Messages));
        Assert.Empty(audit.Events);
    }

    [Fact]
    public async Task Beyond_most_those_go_first_whose_time_ends_first_and_it_is_told()
    {
        var keeper = await StartAsync(most: 3_000);
        var entries = new List<SpoolEntry>();
        foreach (var days in (int[])[3, 1, 4, 2])
            entries.Add(await EndAsync(TimeSpan.FromDays(days)));
        await keeper.KeepAsync(spool, entries, Ct);

        Assert.InRange(keeper.Count.Octets, 1, 3_000);
        Assert.Equal([true, false, true, false], entries.Select(e => folder.Find(e.Envelope.Id, clock.GetUtcNow()) is not null));
        var told = Assert.Single(audit.Events.OfType<ServerEvent>());
        Assert.Equal("content_given_up", told.Event);
        Assert.Contains("the content of 2 messages", told.Detail, StringComparison.Ordinal);
        Assert.Contains("keep.most is 3000 octets", told.Detail, StringComparison.Ordinal);

        keeper.Apply(most: 1);
        Assert.Equal(0, Files);
        var big = await EndAsync(Week);
        await keeper.KeepAsync(spool, [big], Ct);
        Assert.Equal((0, big.Envelope.Id.ToString()), (Files, audit.Events.OfType<ServerEvent>().Last().QueueId));
    }

    [Fact]
    public async Task Short_of_room_on_the_disk_kept_content_gives_way_and_no_more_is_kept()
    {
        var keeper = await StartAsync();
        await keeper.KeepAsync(spool, [await EndAsync(Week)], Ct);
        Assert.Equal(1, Files);

        space = space with { Free = 249 };
        clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(0, Files);
        Assert.Equal("content_given_up", audit.Events.OfType<ServerEvent>().Single().Event);
        var late = await EndAsync(Week);
        await keeper.KeepAsync(spool, [late], Ct);
        Assert.Equal((0, "content_not_kept", late.Envelope.Id.ToString()), (Files, audit.Events.OfType<ServerEvent>().Last().Event, audit.Events.OfType<ServerEvent>().Last().QueueId));

        space = space with { Free = 250 };
        await keeper.KeepAsync(spool, [late], Ct);
        Assert.Equal(1, Files);
    }

    [Fact]
    public async Task A_message_is_kept_before_the_spool_forgets_it_whenever_the_server_is_killed()
    {
        using var home = new SpoolHome();
        var id = QueueId.New(TimeProvider.System);
        await using (var written = home.Open())
        {
            await Samples.CommitAsync(written, Samples.Content(200_000), Samples.Envelope() with { Id = id, KeepFor = Week });
            await Samples.EndAsync(written, id, "250 taken");
        }

        // Killed before the removal; and again, after the content was copied.
        var keeper = await StartAsync();
        await using (var again = home.Open())
        {
            await keeper.KeepAsync(again, await again.ListEndedAsync(Ct), Ct);
            Assert.Equal(1, Files);
        }

        await using var last = home.Open();
        await EventRecovery.RunAsync(last, directory.Path, audit, clock, Ct, keeper);

        Assert.Empty(await last.ListEndedAsync(Ct));
        using var kept = folder.Open(folder.Find(id, clock.GetUtcNow())!.Value)!;
        var octets = new byte[kept.Length];
        for (var at = 0; at < octets.Length;)
            at += await kept.ReadAsync(at, octets.AsMemory(at), Ct);
        Assert.Equal(Samples.Content(200_000), octets);
        Assert.Equal("250 taken", kept.Entry.State.Recipients[0].LastReply);
    }

    [Fact]
    public async Task The_end_of_the_server_forgets_nothing_that_is_not_kept_yet()
    {
        var keeper = await StartAsync();
        var entry = await EndAsync(Week);
        await keeper.DisposeAsync();
        var ended = new EndedMail(spool, audit, static (_, detail) => Assert.Fail(detail)) { Keeper = keeper };

        ended.Add(entry);

        await Assert.ThrowsAsync<ObjectDisposedException>(() => keeper.KeepAsync(spool, [entry], Ct).AsTask());
        Assert.Single(await spool.ListEndedAsync(Ct));
        Assert.Equal(0, Files);
    }

    [Fact]
    public async Task What_cannot_be_written_is_told_under_the_name_of_its_message_and_mail_goes_on()
    {
        await File.WriteAllTextAsync(folder.Path, "a file where the directory belongs", Ct);
        var keeper = await StartAsync();
        var entry = await EndAsync(Week);
        var ended = new EndedMail(spool, NoAuditLog.Instance, static (_, detail) => Assert.Fail(detail)) { Keeper = keeper };

        ended.Add(entry);

        while ((await spool.ListEndedAsync(Ct)).Count > 0)
            await Task.Yield();
        Assert.Equal(("content_not_kept", entry.Envelope.Id.ToString()), (audit.Events.OfType<ServerEvent>().Last().Event, audit.Events.OfType<ServerEvent>().Last().QueueId));
    }

    private async Task<ContentKeeper> StartAsync(long most = 5_000_000_000)
    {
        var keeper = new ContentKeeper(folder, audit, clock, most, static _ => 100, _ => space);
        keepers.Add(keeper);
        await keeper.WhenRead;
        return keeper;
    }

    /// <summary>A message of a thousand octets that was delivered now.</summary>
    private async Task<SpoolEntry> EndAsync(TimeSpan? keep)
    {
        var id = await Samples.CommitAsync(spool, Samples.Content(1_000), Samples.Envelope() with { KeepFor = keep });
        return await Samples.EndAsync(spool, id, "250 taken");
    }
}
