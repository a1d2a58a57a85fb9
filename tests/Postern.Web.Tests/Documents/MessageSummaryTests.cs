using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;
using Postern.Web.Documents;

namespace Postern.Web.Tests.Documents;

public class MessageSummaryTests
{
    private static readonly DateTimeOffset Noon = EventLog.Noon;

    [Theory]
    [InlineData("Delivered to a@example.net", "delivered")]
    [InlineData("Delivered to all 3", "delivered", "delivered", "delivered")]
    [InlineData("Delivered to 1 of 2; b@example.net deferred, next try at noon: 450 busy", "delivered", "deferred")]
    [InlineData("a@example.net failed: 450 busy", "failed")]
    [InlineData("3 deferred, next try at noon: 450 busy", "deferred", "deferred", "deferred")]
    [InlineData("a@example.net is waiting for its first attempt", "waiting")]
    [InlineData("a@example.net is held", "held")]
    [InlineData("a@example.net was removed by an operator", "removed")]
    [InlineData("a@example.net is not in the queue, and the log does not say how it ended", "unknown")]
    [InlineData("Nothing is known of its recipients")]
    public void One_sentence_says_where_it_is(string sentence, params string[] states) => Assert.Equal(
        sentence,
        MessageSummary.Of(
            [.. states.Select(static (state, i) => new RecipientFate($"{(char)('a' + i)}@example.net", state, 1) { LastReply = "450 busy", NextAttempt = Noon })],
            more: 0,
            queued: null,
            static _ => "at noon"));

    [Fact]
    public void What_the_queue_knows_counts_more_than_what_the_log_knows()
    {
        var deferred = new DeliveryEvent(Noon, "Q", "a@example.net", DeliveryOutcome.Deferred, 3, "450 busy") { NextAttempt = Noon.AddHours(1) };
        Assert.Equal("unknown", Of([deferred], queued: null).State);
        Assert.Equal("removed", Of([deferred, new AdminEvent(Noon, "anna", "queue remove", "Q")], queued: null).State);
        var held = Of([deferred], Queued("held", "pending"));
        Assert.Equal(("held", 3, null), (held.State, held.Attempts, held.NextAttempt));
        Assert.Equal("expanded", Of([new ExpandedEvent(Noon, "Q", "R", ["A@example.net"], 2)], queued: null).State);
        Assert.Equal("delivered", Of([deferred with { Outcome = DeliveryOutcome.Delivered }], Queued("deferred", "delivered")).State);
    }

    private static QueueItem Queued(string state, string status) => new()
    {
        Id = "Q", ArrivedAt = Noon, State = state, Sender = "x@example.org", Size = 1, Attempts = 1, Recipients = [new("a@example.net", status, null, null, null)],
    };

    private static RecipientFate Of(AuditEvent[] events, QueueItem? queued) => Assert.Single(MessageFates.Of(
        new AcceptedEvent(Noon, new EventOrigin("s", "l", "192.0.2.7"), "Q", "x@example.org", ["a@example.net"], 1), events, queued));
}
