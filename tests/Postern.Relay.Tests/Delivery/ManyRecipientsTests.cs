using System.Collections.Concurrent;
using System.Globalization;
using Postern.Relay.Audit;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Segments.Log;
using Postern.Relay.Tests.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Delivery;

/// <summary>One message to very many: each gets it once, over a restart too, and the log does not grow with each answer by all that came before.</summary>
public sealed class ManyRecipientsTests
{
    private const int Recipients = 10_000;
    private const int Domains = 500;

    private readonly ConcurrentDictionary<string, int> taken = new(StringComparer.Ordinal);

    [Fact]
    public async Task Ten_thousand_recipients_of_500_domains_get_one_message_each_once_and_the_log_stays_small()
    {
        using var home = new SpoolHome { SegmentSize = 64 << 20 };
        await using (var spool = home.Open())
        {
            await using var scheduler = Scheduler(spool, home.Clock, static _ => Task.CompletedTask);
            scheduler.Start();
            var id = await Samples.CommitAsync(spool, Samples.Content(1000), Message(home.Clock));
            await UntilAsync(() => spool.Find(id) is null);
        }

        Assert.Equal(Recipients, taken.Count);
        Assert.All(taken, static one => Assert.Equal(1, one.Value));
        var records = home.Segments.Select(File.ReadAllBytes).SelectMany(static log => Samples.Records(log)).Select(static r => r.Header).ToList();
        var message = Assert.Single(records, static r => r.Kind == RecordKind.Message).Length;
        Assert.InRange(records.Where(static r => r.Kind == RecordKind.State).Sum(static r => (long)r.Length), 1, 100L * message);
        Assert.All(records.Where(static r => r.Kind == RecordKind.State), r => Assert.InRange(r.Length, 1, message));
    }

    [Fact]
    public async Task Those_that_have_it_when_the_server_stops_do_not_get_it_again()
    {
        using var home = new SpoolHome { SegmentSize = 64 << 20 };
        var never = new TaskCompletionSource();
        QueueId id;
        await using (var spool = home.Open())
        {
            await using var scheduler = Scheduler(spool, home.Clock, hop => int.Parse(hop.Name[1..].Split('.')[0], CultureInfo.InvariantCulture) % 2 == 0 ? Task.CompletedTask : never.Task);
            scheduler.Start();
            id = await Samples.CommitAsync(spool, Samples.Content(1000), Message(home.Clock));
            await UntilAsync(() => spool.Find(id)!.State.Recipients.Count(static r => r.Status == RecipientStatus.Delivered) == Recipients / 2);
        }

        Assert.Equal(Recipients / 2, taken.Count);
        await using var again = home.Open();
        Assert.Empty(again.Recovery.Quarantined);
        await using var second = Scheduler(again, home.Clock, static _ => Task.CompletedTask);
        second.Start();
        await UntilAsync(() => again.Find(id) is null);
        Assert.Equal(Recipients, taken.Count);
        Assert.All(taken, static one => Assert.Equal(1, one.Value));
    }

    private static Envelope Message(TimeProvider clock)
    {
        var envelope = Samples.Envelope();
        return envelope with
        {
            ArrivedAt = clock.GetUtcNow(),
            Said = envelope.Said with { Recipients = [.. Enumerable.Range(0, Recipients).Select(static i => Mailbox.Parse(string.Create(CultureInfo.InvariantCulture, $"r{i}@d{i % Domains}.example.com")))] },
        };
    }

    private DeliveryScheduler Scheduler(ISpool spool, TimeProvider clock, Func<NextHop, Task> answer)
    {
        var transport = new FakeTransport(async (hop, message) =>
        {
            await answer(hop);
            foreach (var recipient in message.Recipients)
                taken.AddOrUpdate(recipient.Address, 1, static (_, count) => count + 1);
            return new DeliveryReport([.. message.Recipients.Select(_ => new Outcome.Delivered(hop.Name, $"250 2.0.0 Ok: queued as {hop.Name}", Tls: null, "2.0.0"))], Reached: true);
        });
        return new DeliveryScheduler(spool, transport, DeliveryRig.Options() with { Routes = RouteTable.Mx }, NoAuditLog.Instance, clock);
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!isSo())
        {
            Assert.False(patience.IsCancellationRequested, "it does not come to it");
            await Task.Yield();
        }
    }
}
