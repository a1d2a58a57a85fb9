using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Scheduling;
using Postern.Relay.Envelopes;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments;
using Postern.Relay.Tests.Audit;
using Postern.Relay.Tests.Spool;

namespace Postern.Relay.Tests.Runtime;

/// <summary>
/// The power fails between the two logs: the spool is synced when a message is acknowledged, the events once in a while. What the disk had not
/// got of either is lost, or only a part of it. Nothing that was told of an acknowledged message stays lost, and nothing is told as another thing.
/// </summary>
public sealed class VolatileEventsTests
{
    private static readonly int Rounds = Environment.GetEnvironmentVariable("POSTERN_SOAK") is { Length: > 0 } ? 2000 : 20;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Whenever_the_power_fails_no_event_of_an_acknowledged_message_is_lost_or_told_as_two(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < Rounds; round++)
        {
            var history = random.Next();
            if (await FindLossAsync(history, waits: true) is { } loss)
                Assert.Fail($"history {history}: {loss}");
        }
    }

    /// <summary>Without the wait for the event log the simulator must find a loss, or it sees nothing.</summary>
    [Fact]
    public async Task A_spool_that_does_not_wait_for_the_events_is_found_out()
    {
        var random = new Random(3);
        for (var round = 0; round < 1000; round++)
        {
            if (await FindLossAsync(random.Next(), waits: false) is not null)
                return;
        }

        Assert.Fail("nothing was lost although the spool did not wait: the simulator does not see it");
    }

    private static async Task<string?> FindLossAsync(int seed, bool waits)
    {
        var random = new Random(seed);
        using var directory = new TemporaryDirectory();
        using var logs = new AuditDirectory();
        var options = new SegmentSpoolOptions { Directory = directory.Spool, SegmentSize = 256 << 10, Reserve = 0 };
        var log = new VolatileLog(random, waits);
        var told = new List<AuditEvent>();
        using (var files = new VolatileFiles(Directory.CreateDirectory(Path.Combine(directory.Path, "attic")).FullName, random, VolatileFiles.Never))
        {
            await using var spool = SegmentSpool.Open(options, TimeProvider.System, files);
            var ended = new EndedMail(spool, log, static (_, _) => { });
            await using var claims = await spool.OpenClaimsAsync(Ct);
            var steps = random.Next(2, 15);
            for (var step = 0; step < steps; step++)
                await DeliverOneAsync(spool, claims, ended, log, told, random);
            log.Lose();
            files.CutPower();
        }

        await logs.WriteAsync(log.Kept);
        await using (var again = SegmentSpool.Open(options, TimeProvider.System))
        {
            await using (var audit = new JsonLinesAuditLog(new AuditLogOptions { Directory = logs.Path, KeepDays = 100_000 }, TimeProvider.System))
                await EventRecovery.RunAsync(again, logs.Path, audit, TimeProvider.System, Ct);
            return Check(told, await logs.FindAsync(), again);
        }
    }

    /// <summary>A message is acknowledged, delivered or not yet, and told of, as the server does it.</summary>
    private static async Task DeliverOneAsync(SegmentSpool spool, ISpoolClaims claims, EndedMail ended, VolatileLog log, List<AuditEvent> told, Random random)
    {
        var now = TimeProvider.System.GetUtcNow();
        var envelope = Samples.Envelope() with { ArrivedAt = now };
        await Samples.CommitAsync(spool, Samples.Content(random.Next(2000)), envelope);
        Tell(new AcceptedEvent(now, new EventOrigin("s", "submission", "2001:db8::7"), envelope.Id.ToString(), "lisa@example.org", ["r0@example.com"], 1));
        var claim = (await claims.ClaimAsync(envelope.Id, Ct))!;
        var outcome = (DeliveryOutcome)random.Next(3);
        var (at, next) = (TimeProvider.System.GetUtcNow(), outcome == DeliveryOutcome.Deferred ? now.AddMinutes(5) : (DateTimeOffset?)null);
        Tell(new DeliveryEvent(at, envelope.Id.ToString(), "r0@example.com", outcome, 1, "reply") { NextAttempt = next });
        var status = outcome switch { DeliveryOutcome.Delivered => RecipientStatus.Delivered, DeliveryOutcome.Failed => RecipientStatus.Failed, _ => RecipientStatus.Pending };
        var state = claim.Entry.State with
        {
            Attempts = 1, TriedAt = at, NextAttempt = next ?? at, Recipients = [new RecipientState(status, "reply") { Attempt = status == RecipientStatus.Pending ? 0 : 1 }],
        };
        if (status != RecipientStatus.Pending)
        {
            await claims.EndAsync(claim, state with { HasEnded = true }, Ct);
            ended.Add(claim.Entry);
        }
        else
        {
            await claims.RecordAsync(claim, state, Ct);
        }

        if (random.Next(5) == 0)
            await log.SyncAsync();
        if (random.Next(5) == 0)
            await Samples.CommitAsync(spool, Samples.Content(10)); // what stood before it in the spool's log is on the disk now

        void Tell(AuditEvent audit)
        {
            told.Add(audit);
            log.Append(audit);
        }
    }

    /// <summary>
    /// A delivery that the spool has no record of will be made again, and told of then. All else must be in the log, and once.
    /// </summary>
    private static string? Check(List<AuditEvent> told, List<AuditEvent> found, SegmentSpool spool)
    {
        var ids = found.Select(static e => e.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var audit in told.Where(audit => !ids.Contains(audit.Id)))
        {
            if (audit is not DeliveryEvent delivery || !QueueId.TryParse(delivery.QueueId, out var id) || spool.Find(id) is not { State.Attempts: 0 })
                return $"{audit} is lost";
        }

        return found.GroupBy(static e => e.Id, StringComparer.Ordinal).FirstOrDefault(static same => same.Count() > 1) is { } twice ? $"{twice.First()} is told twice"
            : found.Select(static e => e.Id).Except(told.Select(static e => e.Id), StringComparer.Ordinal).FirstOrDefault(id => !IsOfFillers(found, id)) is { } strange ? $"{strange} was never told" : null;
    }

    /// <summary>Messages that were committed only to have something synced were told of by nobody; recovery tells of them.</summary>
    private static bool IsOfFillers(List<AuditEvent> found, string id) => found.Find(e => e.Id == id) is AcceptedEvent;

    /// <summary>An event log of which the disk has what was synced, and of the rest what it happened to write.</summary>
    private sealed class VolatileLog(Random random, bool waits) : IAuditLog
    {
        private readonly Lock gate = new();
        private readonly List<AuditEvent> all = [];
        private List<TaskCompletionSource> waiters = [];
        private int synced;
        private bool isLost;

        public IReadOnlyList<AuditEvent> Kept { get; private set; } = [];

        public long Dropped => 0;

        public void Append(AuditEvent audit)
        {
            lock (gate)
                all.Add(audit);
        }

        public ValueTask FlushAsync(CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask SafeAsync(CancellationToken ct)
        {
            if (!waits)
                return ValueTask.CompletedTask;
            lock (gate)
            {
                var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (!isLost)
                    waiters.Add(waiter);
                return new(waiter.Task);
            }
        }

        /// <summary>Everything that was appended is on the disk, and whoever waited for that goes on.</summary>
        public async Task SyncAsync()
        {
            List<TaskCompletionSource> told;
            lock (gate)
            {
                synced = all.Count;
                (told, waiters) = (waiters, []);
            }

            foreach (var waiter in told)
                waiter.SetResult();
            await Task.Yield();
        }

        public void Lose()
        {
            lock (gate)
            {
                isLost = true;
                Kept = [.. all.Take(random.Next(synced, all.Count + 1))];
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
