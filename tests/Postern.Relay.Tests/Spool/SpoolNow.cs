using Postern.Relay.Envelopes;
using Postern.Relay.Spool;

namespace Postern.Relay.Tests;

/// <summary>The spools of the assembly answer these at once; so a test may ask them without waiting, and finds out when one does not.</summary>
internal static class SpoolNow
{
    public static IReadOnlyList<SpoolEntry> List(this ISpool spool) => spool.List(after: null, int.MaxValue);

    public static IReadOnlyList<SpoolEntry> List(this ISpool spool, QueueId? after, int most) =>
        Now(spool.ListAsync(QueueFilter.Everything, after, most, CancellationToken.None));

    public static SpoolEntry? Find(this ISpool spool, QueueId id) => Now(spool.FindAsync(id, CancellationToken.None));

    public static bool Remove(this ISpool spool, QueueId id) => Now(spool.RemoveAsync(id, CancellationToken.None));

    public static ISpoolContent? OpenContent(this ISpool spool, QueueId id) => Now(spool.OpenContentAsync(id, CancellationToken.None));

    /// <summary>Replaces the state, whatever it is.</summary>
    public static ValueTask<bool> UpdateAsync(this ISpool spool, QueueId id, DeliveryState state, CancellationToken ct) => spool.ChangeAsync(id, _ => state, ct);

    public static T Now<T>(ValueTask<T> task)
    {
        var asked = task.AsTask();
        Assert.True(asked.IsCompleted);
#pragma warning disable VSTHRD002 // It is completed.
        return asked.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
    }
}
