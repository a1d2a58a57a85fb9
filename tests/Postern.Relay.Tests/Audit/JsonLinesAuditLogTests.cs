using System.Text;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Tests.Spool;

namespace Postern.Relay.Tests.Audit;

/// <summary>Files, days, loss, and copies.</summary>
public sealed class JsonLinesAuditLogTests : IDisposable
{
    private readonly AuditDirectory directory = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Each_kind_and_day_has_its_own_file_that_only_the_owner_reads()
    {
        var clock = new SettableClock(AuditDirectory.Noon);
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.FileOf("logs/deep") }, clock);
        log.Append(AuditDirectory.Login(clock.Now));
        log.Append(AuditDirectory.Decision(clock.Now));
        clock.Now = AuditDirectory.Noon.AddHours(12);
        log.Append(AuditDirectory.Login(clock.Now.AddTicks(-1)));
        log.Append(AuditDirectory.Login(clock.Now));
        log.Append(AuditDirectory.Accepted(clock.Now, "q"));
        log.Append(new AdminEvent(clock.Now, "root", "account add", "alice"));
        log.Append(new ServerEvent(clock.Now, "started", ""));
        await log.FlushAsync(Ct);

        var files = Directory.GetFiles(directory.FileOf("logs/deep")).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(
            ["admin-2026-11-21.jsonl", "auth-2026-11-20.jsonl", "auth-2026-11-21.jsonl", "mail-2026-11-21.jsonl", "policy-2026-11-20.jsonl", "server-2026-11-21.jsonl"],
            files.Select(static path => Path.GetFileName(path)));
        Assert.Equal(2, File.ReadAllLines(files[1]).Length);
        if (!OperatingSystem.IsWindows())
            Assert.Equal([UnixFileMode.UserRead | UnixFileMode.UserWrite], files.Select(File.GetUnixFileMode).Distinct());
    }

    [Fact]
    public async Task Files_older_than_the_days_to_keep_are_deleted_and_nothing_else()
    {
        foreach (var name in new[] { "auth-2026-10-20.jsonl", "auth-2026-10-21.jsonl", "auth-2020-01-01.txt", "notes-2020-01-01.jsonl" })
            await File.WriteAllTextAsync(directory.FileOf(name), "\n", Ct);
        var clock = new SettableClock(AuditDirectory.Noon);
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path, KeepDays = 30 }, clock);
        await log.FlushAsync(Ct);
        Assert.False(File.Exists(directory.FileOf("auth-2026-10-20.jsonl")));
        Assert.True(File.Exists(directory.FileOf("auth-2026-10-21.jsonl")));

        clock.Now = clock.Now.AddDays(1);
        await log.FlushAsync(Ct);
        Assert.Equal(["auth-2020-01-01.txt", "notes-2020-01-01.jsonl"], Directory.GetFiles(directory.Path).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_cannot_be_written_is_counted_and_the_gap_is_told_once_it_can()
    {
        var path = directory.FileOf("logs");
        await File.WriteAllTextAsync(path, "in the way", Ct);
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = path }, new SettableClock(AuditDirectory.Noon));
        for (var i = 0; i < 5; i++)
            log.Append(AuditDirectory.Login(AuditDirectory.Noon));
        await log.FlushAsync(Ct);
        Assert.Equal(5, log.Dropped);

        File.Delete(path);
        log.Append(AuditDirectory.Login(AuditDirectory.Noon));
        await log.FlushAsync(Ct);
        log.Append(AuditDirectory.Login(AuditDirectory.Noon));
        await log.FlushAsync(Ct);
        Assert.Equal(5, log.Dropped);
        Assert.Equal(2, File.ReadAllLines(Path.Join(path, "auth-2026-11-20.jsonl")).Length);
        Assert.Contains("5 events before this one could not be written", Assert.Single(File.ReadAllLines(Path.Join(path, "server-2026-11-20.jsonl"))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_queue_drops_and_counts_and_never_waits()
    {
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path, QueueOctets = 10_000 }, new SettableClock(AuditDirectory.Noon));
        for (var i = 0; i < 10_000; i++)
            log.Append(AuditDirectory.Login(AuditDirectory.Noon, $"{i}"));
        await log.FlushAsync(Ct);
        var written = (await directory.FindAsync(new AuditQuery { Kinds = AuditKind.Auth })).Count;
        Assert.InRange(written, 1, 9_999);
        Assert.Equal(10_000, written + log.Dropped);
    }

    [Fact]
    public async Task Row_146_a_link_in_the_place_of_a_file_is_not_followed_and_its_events_are_counted_alone()
    {
        var elsewhere = directory.FileOf("elsewhere");
        await File.WriteAllTextAsync(elsewhere, "kept", Ct);
        File.CreateSymbolicLink(directory.FileOf("policy-2026-11-20.jsonl"), elsewhere);
        await Command.RunAsync("ln", elsewhere, directory.FileOf("mail-2026-11-20.jsonl"));
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, new SettableClock(AuditDirectory.Noon));
        log.Append(AuditDirectory.Decision(AuditDirectory.Noon));
        log.Append(AuditDirectory.Accepted(AuditDirectory.Noon, "q"));
        log.Append(AuditDirectory.Login(AuditDirectory.Noon));
        await log.FlushAsync(Ct);
        Assert.Equal(2, log.Dropped);
        Assert.Equal("kept", await File.ReadAllTextAsync(elsewhere, Ct));
        Assert.Single(File.ReadAllLines(directory.FileOf("auth-2026-11-20.jsonl")));
    }

    [Fact]
    public async Task A_line_cut_off_by_a_crash_does_not_swallow_the_next_event()
    {
        await File.WriteAllTextAsync(directory.FileOf("auth-2026-11-20.jsonl"), "{\"at\":\"2026-11-20T11", Ct);
        await directory.WriteAsync(AuditDirectory.Login(AuditDirectory.Noon));
        Assert.Equal([AuditDirectory.Login(AuditDirectory.Noon)], await directory.FindAsync());
    }

    [Fact]
    public async Task Two_processes_may_write_one_file()
    {
        await using var first = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, new SettableClock(AuditDirectory.Noon));
        await using var second = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, new SettableClock(AuditDirectory.Noon));
        foreach (var log in new[] { first, second, first, second })
        {
            log.Append(AuditDirectory.Login(AuditDirectory.Noon));
            await log.FlushAsync(Ct);
        }

        Assert.Equal(4, (await directory.FindAsync()).Count);
    }

    [Fact]
    public async Task A_file_deleted_while_it_is_written_is_made_anew()
    {
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, new SettableClock(AuditDirectory.Noon));
        log.Append(AuditDirectory.Login(AuditDirectory.Noon, "before"));
        await log.FlushAsync(Ct);
        File.Delete(directory.FileOf("auth-2026-11-20.jsonl"));
        log.Append(AuditDirectory.Login(AuditDirectory.Noon, "after"));
        await log.FlushAsync(Ct);
        Assert.Equal([AuditDirectory.Login(AuditDirectory.Noon, "after")], await directory.FindAsync());
    }

    [Fact]
    public async Task A_reader_that_stopped_reading_the_copy_stops_neither_the_files_nor_the_end()
    {
        var copy = new StuckStream();
        var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path, Copy = copy }, new SettableClock(AuditDirectory.Noon));
        log.Append(AuditDirectory.Login(AuditDirectory.Noon));
        await copy.Stuck;
        log.Append(AuditDirectory.Login(AuditDirectory.Noon));
        await log.FlushAsync(Ct);
        Assert.Equal(2, (await directory.FindAsync()).Count);
        copy.Release();
        await log.DisposeAsync();
    }

    [Fact]
    public async Task The_copy_has_every_line()
    {
        using var copy = new MemoryStream();
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path, Copy = copy }, new SettableClock(AuditDirectory.Noon)))
        {
            log.Append(AuditDirectory.Login(AuditDirectory.Noon));
            log.Append(AuditDirectory.Decision(AuditDirectory.Noon));
        }

        Assert.Equal(2, Encoding.ASCII.GetString(copy.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task After_the_end_an_event_is_counted_as_lost_and_a_flush_returns()
    {
        var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, new SettableClock(AuditDirectory.Noon));
        await log.DisposeAsync();
        log.Append(AuditDirectory.Login(AuditDirectory.Noon));
        await log.FlushAsync(Ct);
        Assert.Equal(1, log.Dropped);
    }
}
