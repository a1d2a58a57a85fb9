using System.Net;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Scheduling;
using Postern.Relay.Envelopes;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Memory;
using Postern.Relay.Tests.Audit;
using Postern.Smtp.Grammar;
using Postern.Testing;

namespace Postern.Relay.Tests.Runtime;

/// <summary>No event of an acknowledged message is lost: the spool keeps what tells it until the log has it, and tells it again.</summary>
public sealed class EventRecoveryTests : IDisposable
{
    private readonly AuditDirectory directory = new();
    private readonly ManualClock clock = new(AuditDirectory.Noon);
    private readonly MemorySpool spool;

    public EventRecoveryTests() => spool = new MemorySpool(clock);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task What_the_log_lost_is_told_again_once_and_with_the_same_ids()
    {
        var waiting = await AddAsync();
        var over = await AddAsync();
        var deferred = await DeferAsync(waiting);
        await EndAsync(over);
        var ids = new AuditEvent[]
        {
            AuditDirectory.Accepted(clock.GetUtcNow(), waiting.ToString()),
            AuditDirectory.Accepted(clock.GetUtcNow(), over.ToString()),
            AuditDirectory.Delivery(clock.GetUtcNow(), waiting.ToString(), DeliveryOutcome.Deferred) with { NextAttempt = deferred },
            AuditDirectory.Delivery(clock.GetUtcNow(), over.ToString()),
        }.Select(static e => e.Id).Order(StringComparer.Ordinal).ToList();

        Assert.Equal(4, await RecoverAsync());

        Assert.Equal(ids, (await directory.FindAsync()).Select(static e => e.Id).Order(StringComparer.Ordinal));
        Assert.All((await directory.FindAsync()).OfType<AcceptedEvent>(), static e => Assert.Equal(("acme", "alice", "submission"), (e.Tenant, e.User, e.Listener)));
        Assert.Empty(await spool.ListEndedAsync(Ct));
        Assert.Equal(0, await RecoverAsync());
        Assert.Equal(4, (await directory.FindAsync()).Count);
    }

    [Fact]
    public async Task What_the_log_has_is_not_told_again()
    {
        var over = await AddAsync();
        await EndAsync(over);
        await directory.WriteAsync(AuditDirectory.Accepted(clock.GetUtcNow(), over.ToString()), AuditDirectory.Delivery(clock.GetUtcNow(), over.ToString()));

        Assert.Equal(0, await RecoverAsync());

        Assert.Empty(await spool.ListEndedAsync(Ct));
    }

    [Fact]
    public async Task What_an_operator_changed_since_makes_no_other_event_of_an_attempt()
    {
        var waiting = await AddAsync();
        var tried = clock.GetUtcNow();
        var next = await DeferAsync(waiting);
        await directory.WriteAsync(
            AuditDirectory.Accepted(tried, waiting.ToString()), AuditDirectory.Delivery(tried, waiting.ToString(), DeliveryOutcome.Deferred) with { NextAttempt = next });
        clock.Advance(TimeSpan.FromSeconds(10));
        await spool.ChangeAsync(waiting, entry => entry.State with { NextAttempt = clock.GetUtcNow() }, Ct);

        Assert.Equal(0, await RecoverAsync());
    }

    /// <summary>Which recipient of its message an event is about does not stand in the log.</summary>
    [Fact]
    public async Task A_recipient_whose_last_delay_is_in_the_log_has_not_failed_once_more()
    {
        var now = clock.GetUtcNow();
        var id = await AddAsync("lisa@far.example", "bart@far.example");
        var given = AuditDirectory.Delivery(now, id.ToString(), DeliveryOutcome.Deferred) with { Recipient = "bart@far.example", RecipientIndex = 1 };
        await directory.WriteAsync(AuditDirectory.Accepted(now, id.ToString()), AuditDirectory.Delivery(now, id.ToString()), given);
        await using (var claims = await spool.OpenClaimsAsync(Ct))
        {
            var claim = (await claims.ClaimAsync(id, Ct))!;
            await claims.EndAsync(
                claim,
                claim.Entry.State with
                {
                    HasEnded = true,
                    Attempts = 1,
                    TriedAt = now,
                    Recipients = [new(RecipientStatus.Delivered, "250 ok") { Attempt = 1 }, new(RecipientStatus.Failed, "450 later") { Attempt = 1 }],
                },
                Ct);
        }

        Assert.Equal(0, await RecoverAsync());
    }

    [Fact]
    public async Task What_stands_long_before_the_end_of_the_log_is_not_looked_at()
    {
        await AddAsync();
        clock.Advance(TimeSpan.FromHours(1));
        await directory.WriteAsync(AuditDirectory.Accepted(clock.GetUtcNow(), "other"));

        Assert.Equal(0, await RecoverAsync());
    }

    [Fact]
    public async Task That_a_sender_was_not_told_and_that_a_message_is_held_is_told_again_with_the_same_ids()
    {
        var id = await AddAsync();
        var now = clock.GetUtcNow();
        await spool.ChangeAsync(
            id,
            entry => entry.State with
            {
                Attempts = 1, TriedAt = now, HeldByServerAt = now, Held = true, NextAttempt = now.AddDays(5), NotReported = "suppressed: a\nsuppressed: b", Recipients = [new RecipientState(RecipientStatus.Pending, "450 later")],
            },
            Ct);
        var told = new AuditEvent[]
        {
            new BounceEvent(now, id.ToString(), BounceId: null, "alice@example.org", "suppressed: a"),
            new BounceEvent(now, id.ToString(), BounceId: null, "alice@example.org", "suppressed: b"),
            DeliveryEvents.Held(now, id, now.AddDays(5), errors: 5),
        };

        Assert.Equal(5, await RecoverAsync());

        var found = (await directory.FindAsync()).Select(static e => e.Id).ToList();
        Assert.Equal(5, found.Count);
        Assert.Subset(found.ToHashSet(), told.Select(static e => e.Id).ToHashSet());
        Assert.Equal(0, await RecoverAsync());
    }

    [Fact]
    public async Task A_removal_by_an_operator_is_on_the_disk_before_the_message_is_gone()
    {
        var (first, second) = (await AddAsync(), await AddAsync());
        var log = new WaitingLog();
        var commands = new QueueCommands(spool, new SpoolQueueControl(spool, clock), log, clock);

        var removal = commands.ApplyAsync(QueueAction.Remove, QueueFilter.Everything, new Operator("root"), Ct).AsTask();
        var told = log.Told.Cast<AdminEvent>().ToList();
        Assert.Equal([first.ToString(), second.ToString()], told.Select(static e => e.Target));
        Assert.Equal(2, spool.Count);
        log.Safe.SetResult();

        var change = await removal;
        Assert.Equal((2, 2), (change.Matched, change.Changed));
        Assert.All(told, e => Assert.Equal(change.Ref, e.Ref));
        Assert.Equal((0, 2, 1), (spool.Count, log.Told.Count, log.Flushes));
    }

    [Fact]
    public async Task A_message_is_removed_when_its_events_are_safe_and_not_before()
    {
        var over = await AddAsync();
        var log = new WaitingLog();
        await EndAsync(over);
        var ended = new EndedMail(spool, log, static (_, detail) => Assert.Fail(detail));

        ended.Add(Assert.Single(await spool.ListEndedAsync(Ct)));
        Assert.Single(await spool.ListEndedAsync(Ct));
        log.Safe.SetResult();

        while ((await spool.ListEndedAsync(Ct)).Count > 0)
            await Task.Yield();
        Assert.Equal(0, spool.Count);
    }

    private async Task<int> RecoverAsync()
    {
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = directory.Path, KeepDays = 100_000 }, clock);
        return await EventRecovery.RunAsync(spool, directory.Path, log, clock, Ct);
    }

    private Task<QueueId> AddAsync() => AddAsync("lisa@far.example");

    private async Task<QueueId> AddAsync(params string[] recipients)
    {
        var envelope = new Envelope
        {
            Id = QueueId.New(clock),
            ArrivedAt = clock.GetUtcNow(),
            Said = new(new ReversePath(Mailbox.Parse("alice@example.org")), [.. recipients.Select(Mailbox.Parse)]),
            Login = "alice",
            Client = IPAddress.Parse("192.0.2.7"),
            Listener = "submission",
            Tenant = "acme",
        };
        await using var draft = spool.CreateDraft();
        await draft.CommitAsync(envelope, DeliveryState.Fresh(recipients.Length, clock.GetUtcNow()), Ct);
        return envelope.Id;
    }

    private async Task EndAsync(QueueId id)
    {
        await using var claims = await spool.OpenClaimsAsync(Ct);
        var claim = (await claims.ClaimAsync(id, Ct))!;
        var delivered = new RecipientState(RecipientStatus.Delivered, "250 ok") { Attempt = 1 };
        await claims.EndAsync(claim, claim.Entry.State with { HasEnded = true, Attempts = 1, TriedAt = clock.GetUtcNow(), Recipients = [delivered] }, Ct);
    }

    private async Task<DateTimeOffset> DeferAsync(QueueId id)
    {
        var next = clock.GetUtcNow().AddMinutes(15);
        await spool.ChangeAsync(
            id,
            entry => entry.State with { Attempts = 1, TriedAt = clock.GetUtcNow(), NextAttempt = next, Recipients = [new RecipientState(RecipientStatus.Pending, "450 later")] },
            Ct);
        return next;
    }

    private sealed class WaitingLog : IAuditLog
    {
        public TaskCompletionSource Safe { get; } = new();

        public long Dropped => 0;

        public List<AuditEvent> Told { get; } = [];

        public int Flushes { get; private set; }

        public void Append(AuditEvent audit) => Told.Add(audit);

        public ValueTask FlushAsync(CancellationToken ct)
        {
            Flushes++;
            return ValueTask.CompletedTask;
        }

        public ValueTask SafeAsync(CancellationToken ct) => new(Safe.Task);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
