using System.Collections.Concurrent;
using System.Globalization;
using Postern.Relay.Audit.Events;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Hosts that take so many recipients in a transaction get the others in the next ones, in the same attempt.</summary>
public sealed class TooManyRecipientsTests
{
    private readonly ConcurrentDictionary<int, int> taken = new();
    private readonly ConcurrentDictionary<int, int> refused = new();

    [Theory]
    [InlineData("452 4.5.3 Too many recipients", 1_000)]
    [InlineData("452 Too many recipients", 1_000)]
    [InlineData("451 4.5.3 Too many recipients", 1_000)]
    [InlineData("550 5.5.3 Too many recipients", 1_000)]
    // These hang up on who goes on, before anything is sent.
    [InlineData("452 4.5.3 Too many recipients", 20)]
    [InlineData("451 4.5.3 Too many recipients", 20)]
    [InlineData("552 5.5.3 Too many recipients", 20)]
    public async Task A_hundred_recipients_are_delivered_in_one_attempt_to_a_host_that_takes_ten_at_a_time(string reply, int mostErrors)
    {
        await using var sink = new ScriptedSink(new SinkOptions { Script = (phase, _, connection) => TakeTen(phase, connection, reply, mostErrors) });
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)) with { ConnectionsPerDestination = 1 });
        rig.Scheduler.Start();

        await rig.Spool.GoneAsync(await rig.AddAsync([.. Enumerable.Range(0, 100).Select(static i => string.Create(CultureInfo.InvariantCulture, $"r{i}@there.test"))]));

        var deliveries = rig.Audit.Events.OfType<DeliveryEvent>().ToList();
        Assert.Equal(100, deliveries.Count);
        Assert.All(deliveries, static d => Assert.Equal((DeliveryOutcome.Delivered, 1), (d.Outcome, d.Attempt)));
        Assert.Equal(100, sink.Messages.SelectMany(static m => m.Recipients).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(10, sink.Messages.Count);
        // What it takes is known: of one that hung up there are two connections, and nothing is asked for that it would refuse.
        Assert.InRange(sink.Connections, 1, 2);
        var refusals = refused.Values.Sum();
        await rig.Spool.GoneAsync(await rig.AddAsync([.. Enumerable.Range(0, 25).Select(static i => string.Create(CultureInfo.InvariantCulture, $"r{i}@there.test"))]));
        Assert.Equal(refusals, refused.Values.Sum());
        Assert.Equal([10, 10, 5], sink.Messages.Skip(10).Select(static m => m.Recipients.Count));
    }

    private SinkAction? TakeTen(SinkPhase phase, int connection, string reply, int mostErrors)
    {
        switch (phase)
        {
            case SinkPhase.Mail:
                taken[connection] = 0;
                return null;
            case SinkPhase.Rcpt when taken.AddOrUpdate(connection, 1, static (_, count) => count + 1) > 10:
                var errors = refused.AddOrUpdate(connection, 1, static (_, count) => count + 1);
                return errors > mostErrors ? new SinkAction.Close() : new SinkAction.Reply(reply);
            default:
                return null;
        }
    }
}
