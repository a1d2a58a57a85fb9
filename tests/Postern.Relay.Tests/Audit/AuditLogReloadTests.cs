using System.Net;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Testing;

namespace Postern.Relay.Tests.Audit;

/// <summary>A log that is given other settings while it writes, and that says when events are safe.</summary>
public sealed class AuditLogReloadTests : IDisposable
{
    private readonly AuditDirectory directory = new();
    private readonly AuditDirectory other = new();
    private readonly ManualClock clock = new(AuditDirectory.Noon);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        directory.Dispose();
        other.Dispose();
    }

    [Fact]
    public async Task The_next_event_goes_to_the_new_directory_and_none_is_lost()
    {
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, clock))
        {
            log.Append(AuditDirectory.Login(clock.GetUtcNow(), "before"));
            log.Apply(log.Options with { Directory = other.Path });
            log.Append(AuditDirectory.Login(clock.GetUtcNow(), "after"));
            log.Apply(log.Options with { Directory = directory.Path });
            log.Append(AuditDirectory.Login(clock.GetUtcNow(), "again"));
            await log.FlushAsync(Ct);
            Assert.Equal(0, log.Dropped);
        }

        Assert.Equal(["again", "before"], (await directory.FindAsync()).Cast<LoginEvent>().Select(static e => e.User));
        Assert.Equal("after", Assert.IsType<LoginEvent>(Assert.Single(await other.FindAsync())).User);
    }

    [Fact]
    public async Task Fewer_days_and_octets_count_at_once()
    {
        await File.WriteAllTextAsync(directory.FileOf("auth-2026-11-01.jsonl"), new string('x', 1000), Ct);
        await File.WriteAllTextAsync(directory.FileOf("auth-2026-11-18.jsonl"), new string('x', 1000), Ct);
        await File.WriteAllTextAsync(directory.FileOf("auth-2026-11-19.jsonl"), new string('x', 1000), Ct);
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, clock);
        await log.FlushAsync(Ct);
        Assert.Equal(3, Directory.GetFiles(directory.Path).Length);

        log.Apply(log.Options with { KeepDays = 2 });
        await log.FlushAsync(Ct);
        log.Append(new ServerEvent(clock.GetUtcNow(), "any", ""));
        await log.FlushAsync(Ct);
        Assert.False(File.Exists(directory.FileOf("auth-2026-11-01.jsonl")));
        Assert.True(File.Exists(directory.FileOf("auth-2026-11-18.jsonl")));

        log.Apply(log.Options with { MostOctets = 1_500 });
        await log.FlushAsync(Ct);
        log.Append(new ServerEvent(clock.GetUtcNow(), "any", ""));
        await log.FlushAsync(Ct);
        Assert.False(File.Exists(directory.FileOf("auth-2026-11-18.jsonl")));
        Assert.True(File.Exists(directory.FileOf("auth-2026-11-19.jsonl")));
    }

    [Fact]
    public async Task Networks_that_are_exempt_from_now_on_are_written_whole_from_now_on()
    {
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, clock))
        {
            AppendMany(log);
            log.Apply(log.Options with { Exempt = [IPNetwork.Parse("192.0.2.0/24")] });
            AppendMany(log);
        }

        Assert.Equal(AuditBudget.StrangersWhole + 50, (await directory.FindAsync()).OfType<LoginEvent>().Count());

        void AppendMany(JsonLinesAuditLog log)
        {
            for (var i = 0; i < 50; i++)
                log.Append(AuditDirectory.Login(clock.GetUtcNow()) with { Cause = new AuditCause(AuditKind.Auth, IPAddress.Parse("192.0.2.7"), Login: null, "failed") });
        }
    }

    [Fact]
    public async Task What_is_said_to_be_safe_is_in_the_files()
    {
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, clock);
        log.Append(AuditDirectory.Accepted(clock.GetUtcNow(), "Q1"));

        await log.SafeAsync(Ct);

        Assert.Single(await directory.FindAsync());
    }

    [Fact]
    public async Task A_log_that_cannot_be_written_keeps_nobody_waiting_who_asks_whether_events_are_safe()
    {
        await File.WriteAllTextAsync(directory.FileOf("file"), "", Ct);
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.FileOf("file") }, clock);
        log.Append(AuditDirectory.Accepted(clock.GetUtcNow(), "Q1"));

        await log.SafeAsync(Ct);

        Assert.Equal(1, log.Dropped);
    }
}
