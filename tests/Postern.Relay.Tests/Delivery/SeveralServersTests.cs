using System.Net;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>A route with more than one server: each is asked behind those before it.</summary>
public sealed class SeveralServersTests
{
    private static async Task<DeliveryEvent> DeliverAsync(Route route)
    {
        await using var rig = new DeliveryRig(DeliveryRig.Options(route));
        rig.Scheduler.Start();
        await rig.AddAsync("b@there.test");
        return await rig.Audit.NextAsync<DeliveryEvent>();
    }

    private static string At(ScriptedSink sink) => $"smtp://127.0.0.1:{sink.Port}?tls=none";

    [Fact]
    public async Task The_first_server_that_takes_the_message_has_it()
    {
        await using var one = new ScriptedSink();
        await using var two = new ScriptedSink();

        Assert.Equal(DeliveryOutcome.Delivered, (await DeliverAsync(new Route("*", At(one), At(two)))).Outcome);
        Assert.Equal((1, 0), (one.Messages.Count, two.Connections));
    }

    [Theory]
    [InlineData(SinkPhase.Connect, "554 5.7.1 Not you")]
    [InlineData(SinkPhase.Connect, "421 4.3.2 Full")]
    [InlineData(SinkPhase.Mail, "451 4.3.0 Later")]
    [InlineData(SinkPhase.Rcpt, "450 4.2.1 Later")]
    public async Task What_one_server_puts_off_goes_to_the_next_in_the_same_attempt_by_its_own_port_and_under_the_name_of_the_route(SinkPhase phase, string reply)
    {
        await using var one = new ScriptedSink(SinkOptions.At(phase, new SinkAction.Reply(reply)));
        await using var two = new ScriptedSink();

        var delivery = await DeliverAsync(new Route("*", At(one), At(two)) { Hello = "out.here.test", Bind = IPAddress.Loopback });

        Assert.Equal((DeliveryOutcome.Delivered, 1), (delivery.Outcome, delivery.Attempt));
        Assert.Equal($"[127.0.0.1]:{two.Port}", delivery.Remote);
        Assert.Equal((1, 1), (one.Connections, two.Messages.Count));
        Assert.Contains("C: EHLO out.here.test", two.Transcript(0));
    }

    [Fact]
    public async Task What_one_server_refuses_for_good_is_offered_to_no_other()
    {
        await using var one = new ScriptedSink(SinkOptions.At(SinkPhase.Rcpt, new SinkAction.Reply("550 5.1.1 Nobody")));
        await using var two = new ScriptedSink();

        Assert.Equal(DeliveryOutcome.Failed, (await DeliverAsync(new Route("*", At(one), At(two)))).Outcome);
        Assert.Equal(0, two.Connections);
    }
}
