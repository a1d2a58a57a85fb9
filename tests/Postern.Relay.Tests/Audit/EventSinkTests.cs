using System.Net;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Testing;

namespace Postern.Relay.Tests.Audit;

/// <summary>Who is given events beside the files: nobody is waited for, and who loses some is told.</summary>
public sealed class EventSinkTests : IDisposable
{
    private readonly AuditDirectory directory = new();
    private readonly ManualClock clock = new(AuditDirectory.Noon);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Who_watches_sees_what_it_asked_for_and_nothing_else()
    {
        var hub = new EventHub();
        using var alice = hub.Subscribe(new AuditQuery { Login = "alice" });
        using var mail = hub.Subscribe(new AuditQuery { Kinds = AuditKind.Mail });
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, clock, hub))
        {
            log.Append(AuditDirectory.Login(clock.GetUtcNow(), "bob"));
            log.Append(AuditDirectory.Login(clock.GetUtcNow(), "ALICE"));
            log.Append(AuditDirectory.Accepted(clock.GetUtcNow(), "Q1"));
            log.Append(AuditDirectory.Delivery(clock.GetUtcNow(), "Q1"));
            log.Append(AuditDirectory.Delivery(clock.GetUtcNow(), "Q2"));
        }

        Assert.Equal(["login", "accepted Q1", "delivery Q1"], await TakeAsync(alice, 3));
        Assert.Equal(["accepted Q1", "delivery Q1", "delivery Q2"], await TakeAsync(mail, 3));
    }

    [Fact]
    public async Task Who_reads_too_slowly_is_told_how_many_it_has_missed_and_goes_on()
    {
        var hub = new EventHub();
        using var slow = hub.Subscribe(new AuditQuery());
        for (var i = 0; i < EventSubscription.MostWaiting + 5; i++)
            hub.Offer(AuditDirectory.Delivery(clock.GetUtcNow(), $"Q{i}"));

        var seen = await TakeAsync(slow, EventSubscription.MostWaiting + 1);
        hub.Offer(AuditDirectory.Delivery(clock.GetUtcNow(), "later"));

        Assert.Equal($"delivery Q{EventSubscription.MostWaiting - 1}", seen[^2]);
        Assert.Equal("lagged 5", seen[^1]);
        Assert.Equal(["delivery later"], await TakeAsync(slow, 1));
        Assert.Equal(5, hub.Lost);
    }

    [Fact]
    public async Task Who_has_stopped_watching_is_given_nothing_more()
    {
        var hub = new EventHub();
        var gone = hub.Subscribe(new AuditQuery());
        gone.Dispose();

        for (var i = 0; i < 2 * EventSubscription.MostWaiting; i++)
            hub.Offer(AuditDirectory.Delivery(clock.GetUtcNow(), "Q1"));

        Assert.Equal(0, hub.Lost);
        Assert.Empty(await gone.ReadAsync(Ct).ToListAsync(Ct));
    }

    [Fact]
    public async Task A_sink_that_loses_events_stands_in_the_log_with_how_many()
    {
        var full = new FullSink();
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, clock, full))
        {
            log.Append(AuditDirectory.Login(clock.GetUtcNow()));
            log.Append(AuditDirectory.Login(clock.GetUtcNow()));
            await log.FlushAsync(Ct);
            clock.Advance(TimeSpan.FromMinutes(1));
            log.Append(AuditDirectory.Login(clock.GetUtcNow()));
        }

        var told = Assert.Single((await directory.FindAsync()).OfType<ServerEvent>());
        Assert.Equal("sink_lost", told.Event);
        Assert.Matches("^full: [23] events had no room there", told.Detail);
        Assert.Equal(3, (await directory.FindAsync()).OfType<LoginEvent>().Count());
    }

    [Fact]
    public async Task A_repeat_is_counted_by_the_totals_and_seen_by_nobody_else()
    {
        var (totals, hub) = (new Relay.Runtime.RelayTotals(), new EventHub());
        using var watching = hub.Subscribe(new AuditQuery());
        await using (var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path }, clock, totals, hub))
        {
            for (var i = 0; i < 25; i++)
            {
                log.Append(AuditDirectory.Login(clock.GetUtcNow()) with
                {
                    Outcome = AuthOutcome.Failed,
                    Cause = new AuditCause(AuditKind.Auth, IPAddress.Loopback, Login: null, "failed"),
                });
            }

            for (var i = 0; i < 25; i++)
                await log.AskAsync(new AuditCause(AuditKind.Policy, IPAddress.Loopback, Login: null, "recipient", "end_of_list", 550), Ct);
        }

        Assert.Equal((25, 15), (totals.FailedLogins, totals.Refused));
        Assert.Equal(
            [.. Enumerable.Repeat("login", AuditBudget.StrangersWhole), "coalesced", "coalesced"], await TakeAsync(watching, AuditBudget.StrangersWhole + 2));
    }

    private static async Task<List<string>> TakeAsync(EventSubscription subscription, int count) => await subscription.ReadAsync(Ct).Take(count).Select(static live => live switch
    {
        LiveEvent.Lagged(var missed) => $"lagged {missed}",
        LiveEvent.Happened(var audit) => audit.Traits.QueueId is { } id ? $"{audit.Name} {id}" : audit.Name,
        _ => "?",
    }).ToListAsync(Ct);

    private sealed class FullSink : IEventSink
    {
        private long lost;

        public string Name => "full";

        public long Lost => Interlocked.Read(ref lost);

        public void Offer(AuditEvent audit) => Interlocked.Increment(ref lost);
    }
}
