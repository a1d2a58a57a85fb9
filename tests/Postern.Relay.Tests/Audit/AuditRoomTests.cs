using System.Net;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Testing;

namespace Postern.Relay.Tests.Audit;

/// <summary>The log has a size, and gives way to the spool.</summary>
public sealed class AuditRoomTests : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    private readonly AuditDirectory directory = new();
    private readonly ManualClock clock = new(AuditDirectory.Noon);
    private long free = 1_000_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Row_136_over_the_most_octets_the_oldest_file_of_the_largest_kind_goes()
    {
        foreach (var (name, octets) in new[] { ("auth-2026-11-18.jsonl", 300), ("policy-2026-11-17.jsonl", 200), ("policy-2026-11-18.jsonl", 300), ("policy-2026-11-19.jsonl", 300), ("mail-2026-11-01.jsonl", 100) })
            await File.WriteAllTextAsync(directory.FileOf(name), new string('\n', octets), Ct);
        await using var log = Open(most: 900);
        await log.FlushAsync(Ct);
        Assert.Equal(
            ["auth-2026-11-18.jsonl", "mail-2026-11-01.jsonl", "policy-2026-11-19.jsonl"],
            Directory.GetFiles(directory.Path).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Row_136_todays_files_stay_and_when_they_are_too_large_nothing_more_is_written_and_that_is_told()
    {
        await File.WriteAllTextAsync(directory.FileOf("policy-2026-11-20.jsonl"), new string('\n', 2_000), Ct);
        await using var log = Open(most: 1_000);
        log.Append(AuditDirectory.Login(AuditDirectory.Noon));
        await log.FlushAsync(Ct);
        Assert.Equal(1, log.Dropped);
        Assert.True(File.Exists(directory.FileOf("policy-2026-11-20.jsonl")));
        Assert.Contains("today's files are larger", Assert.Single((await directory.FindAsync()).OfType<ServerEvent>(), static e => e.Event == "log_no_room").Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Row_136_strangers_have_a_twentieth_of_it_for_each_kind_and_day()
    {
        const long Most = 4_000_000;
        await using (var log = Open(Most))
        {
            for (var second = 0; second < 1_000; second++)
            {
                for (var i = 0; i < 20; i++)
                    log.Append(Stranger(new IPAddress((second * 20) + i + 0x0100_0000L)));
                clock.Advance(Look);
                await log.FlushAsync(Ct);
            }

            log.Append(AuditDirectory.Login(clock.GetUtcNow(), "lisa"));
            await log.FlushAsync(Ct);
        }

        Assert.InRange(new FileInfo(directory.FileOf("auth-2026-11-20.jsonl")).Length, Most / AuditRoom.StrangersPart / 2, Most / AuditRoom.StrangersPart * 5 / 4);
        var events = await directory.FindAsync();
        Assert.Single(events.OfType<LoginEvent>(), static e => e.User == "lisa");
        Assert.Equal(20_001, events.OfType<LoginEvent>().Count() + events.OfType<CoalescedEvent>().Sum(static e => e.Count));
    }

    [Fact]
    public async Task Row_137_short_of_disk_strangers_are_only_counted_then_nothing_is_written_and_all_of_it_is_told()
    {
        await using (var log = Open(most: 1_000_000_000))
        {
            await AppendAsync(log, "first");
            free = 199_999; // below twice what the spool needs
            await AppendAsync(log, "second");
            free = 149_999; // below one and a half
            await AppendAsync(log, "third");
            free = 1_000_000;
            await AppendAsync(log, "fourth");
            Assert.Equal(1, log.Dropped);
        }

        var events = await directory.FindAsync();
        Assert.Equal(["first", "fourth", "second"], events.OfType<LoginEvent>().Where(static e => e.Cause is null && e.User != "stranger").Select(static e => e.User!).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["log_no_room", "log_no_room", "log_room", "audit-gap"],
            events.OfType<ServerEvent>().Reverse().Select(static e => e.Event));
    }

    private async Task AppendAsync(JsonLinesAuditLog log, string user)
    {
        clock.Advance(Look);
        log.Append(AuditDirectory.Login(clock.GetUtcNow(), user));
        for (var i = 0; i < 3; i++)
            log.Append(Stranger(IPAddress.Loopback));
        await log.FlushAsync(Ct);
    }

    private LoginEvent Stranger(IPAddress address) =>
        AuditDirectory.Login(clock.GetUtcNow(), "stranger") with { Outcome = AuthOutcome.Failed, Cause = new AuditCause(AuditKind.Auth, address, Login: null, "failed") };

    private JsonLinesAuditLog Open(long most) => new(
        new AuditLogOptions { Directory = directory.Path, MostOctets = most, SpoolReserve = static _ => 100_000, Space = _ => (2_000_000, free) }, clock);
}
