using Postern.Relay.Audit;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

public sealed class DeliverySchedulerTests
{
    [Fact]
    public async Task A_committed_message_reaches_its_route_and_leaves_the_spool()
    {
        await using var sink = new ScriptedSink();
        await using var rig = new DeliveryRig(DeliveryRig.Options(DeliveryRig.To("*", sink.Port)));
        rig.Scheduler.Start();

        var id = await rig.AddAsync("b@there.test");
        var message = await sink.NextMessageAsync();
        await rig.Spool.GoneAsync(id);

        Assert.Equal("a@here.test", message.Sender);
        Assert.Equal(["b@there.test"], message.Recipients);
        Assert.Equal(DeliveryRig.Content, message.Text);
        var delivery = await rig.Audit.NextAsync<AuditEvent.Delivery>();
        Assert.Equal(("delivered", 1, "250 2.0.0 Taken"), (delivery.Outcome, delivery.Attempt, delivery.Reply));
        Assert.Equal($"[127.0.0.1]:{sink.Port}", delivery.Remote);
    }
}
