using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Places;

/// <summary>
/// Brings messages to an <see cref="IHopPlace"/>, one recipient after another, and records each before the next: a crash brings as few of
/// them a second copy as can be.
/// </summary>
internal sealed class PlaceLane(IHopPlace place, PlaceContext context) : IDeliveryLane
{
    public bool IsConnected => false;

    public async ValueTask<DeliveryReport> DeliverAsync(
        OutgoingMessage message, OutgoingMessage? following, IOutcomeRecord record, CancellationToken ct)
    {
        var begun = context.Clock.GetTimestamp();
        var outcomes = new Outcome[message.Recipients.Length];
        Array.Fill(outcomes, NotTried("this server stopped before its turn"));
        var isAnyDecided = false;
        for (var i = 0; i < outcomes.Length; i++)
        {
            try
            {
                var outcome = await place.DeliverAsync(message, message.Recipients[i], context, ct).ConfigureAwait(false);
                outcomes[i] = outcome with { Took = context.Clock.GetElapsedTime(begun) };
            }
            catch (Exception e) when (isAnyDecided)
            {
                // Somebody has the message already: what goes wrong now is told of the others alone.
                Array.Fill(outcomes, NotTried(e is OperationCanceledException ? "this server stops" : e.Message), i, outcomes.Length - i);
                break;
            }

            if (outcomes[i] is Outcome.Deferred)
                continue;
            isAnyDecided = true;
            if (i + 1 < outcomes.Length)
                await record.RecordAsync(outcomes).ConfigureAwait(false);
        }

        return new DeliveryReport(outcomes, Reached: true);
    }

    public ValueTask<bool> ProbeAsync(CancellationToken ct) => new(true);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static Outcome.Deferred NotTried(string why) => new(Remote: null, $"not tried: {why}", Tls: null)
    {
        After = AfterDeferral.NextAttempt,
        Cause = DeliveryCause.OwnSurroundings,
    };
}
