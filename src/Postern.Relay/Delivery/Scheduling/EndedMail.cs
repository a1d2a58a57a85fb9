using Postern.Relay.Audit;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Removes messages whose delivery is over from the spool when their events are on the disk, a second later or so: until then the spool can
/// tell the events again after a crash. Nothing waits for it.
/// </summary>
internal sealed class EndedMail(ISpool spool, IAuditLog audit, Action<string, string> tell)
{
    private readonly Lock gate = new();
    private List<QueueId> waiting = [];
    private bool isRunning;

    public void Add(QueueId id)
    {
        lock (gate)
        {
            waiting.Add(id);
            if (isRunning)
                return;
            isRunning = true;
        }

        _ = RunAsync();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            List<QueueId> ended;
            lock (gate)
            {
                isRunning = waiting.Count > 0;
                if (!isRunning)
                    return;
                (ended, waiting) = (waiting, []);
            }

            try
            {
                await audit.SafeAsync(CancellationToken.None).ConfigureAwait(false);
                foreach (var id in ended)
                    await spool.RemoveAsync(id, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception mistake)
            {
                // They are removed at the next start.
                tell("spool-error", $"{ended.Count} messages whose delivery is over stay in the spool: {mistake.Message}");
            }
        }
    }
}
