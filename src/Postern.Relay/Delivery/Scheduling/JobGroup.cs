namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// Jobs that one lane sends at once, all on their way before the first is answered. What each came to is recorded as soon as it is known;
/// what the host has nothing of goes back to the queue.
/// </summary>
internal sealed class JobGroup(DestinationQueue queue, ILaneHost host) : IDisposable
{
    private readonly List<PreparedJob> jobs = [];
    private readonly List<Task> completions = [];
    private DeliveryReport?[] told = [];

    public int Count => jobs.Count;

    /// <summary>What the jobs came to that were attempted.</summary>
    public IReadOnlyList<DeliveryReport> Reports => [.. told.OfType<DeliveryReport>()];

    public void Add(PreparedJob job) => jobs.Add(job);

    /// <summary>False where nothing was attempted and the first goes alone; that one is still to be delivered then.</summary>
    /// <exception cref="OperationCanceledException">This server stops; what is not recorded is tried again.</exception>
    public async ValueTask<bool> DeliverAsync(IDeliveryLane connection)
    {
        told = new DeliveryReport?[jobs.Count];
        var isTogether = true;
        Exception? mistake = null;
        try
        {
            isTogether = await connection.DeliverAllAsync([.. jobs.Select(static job => job.Message)], jobs, OnAnswered, host.Abandoned)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (!IsCalledOff)
        {
            mistake = e;
        }
        finally
        {
            await Task.WhenAll(completions).ConfigureAwait(false);
        }

        // In reverse: each goes to the front of the queue.
        for (var i = jobs.Count - 1; i >= (isTogether ? 0 : 1); i--)
        {
            if (told[i] is not null)
                continue;
            if (mistake is null)
                queue.Return(jobs[i].Job);
            else
                await host.FailInternallyAsync(jobs[i].Job, mistake).ConfigureAwait(false);
        }

        return isTogether;
    }

    public void Dispose()
    {
        foreach (var job in jobs)
            job.Dispose();
    }

    private bool IsCalledOff => host.Stopping.IsCancellationRequested || host.Abandoned.IsCancellationRequested;

    private void OnAnswered(int index, DeliveryReport report)
    {
        told[index] = report;
        completions.Add(host.CompleteAsync(jobs[index].Job, report.Outcomes).AsTask());
    }
}
