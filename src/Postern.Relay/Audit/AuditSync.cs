using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace Postern.Relay.Audit;

/// <summary>
/// Brings to the disk what was written, once a second at most, on a thread of its own: the events do not wait for it. Real time, whatever
/// the clock says: it only spreads the work.
/// </summary>
/// <param name="failed">Told when the disk did not take what it had been given; may be called from the thread.</param>
/// <param name="flush">Brings a file to the disk; null for the system's own.</param>
internal sealed class AuditSync(Action<string> failed, Action<SafeFileHandle>? flush = null) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Action<SafeFileHandle> flush = flush ?? RandomAccess.FlushToDisk;
    private readonly Lock gate = new();
    private readonly AutoResetEvent wake = new(initialState: false);
    private readonly ManualResetEventSlim stop = new();
    private readonly List<SafeFileHandle> closing = [];
    private HashSet<SafeFileHandle> dirty = [];
    private HashSet<SafeFileHandle> flushing = [];
    private List<TaskCompletionSource> waiters = [];
    private Thread? thread;

    /// <summary>Something was written there.</summary>
    public void Note(SafeFileHandle handle)
    {
        lock (gate)
            dirty.Add(handle);
        Wake();
    }

    /// <summary>Nothing more will be written there: it is closed, and before that brought to the disk.</summary>
    public void Close(SafeFileHandle handle)
    {
        lock (gate)
        {
            if (dirty.Contains(handle) || flushing.Contains(handle))
            {
                closing.Add(handle);
                return;
            }
        }

        handle.Dispose();
    }

    /// <summary>Completes it when all that was written before is on the disk.</summary>
    public void Tell(TaskCompletionSource waiter)
    {
        lock (gate)
            waiters.Add(waiter);
        Wake();
    }

    /// <summary>What is left is brought to the disk. Nobody may write any more.</summary>
    public void Dispose()
    {
        stop.Set();
        wake.Set();
        thread?.Join();
        Sync();
        wake.Dispose();
        stop.Dispose();
    }

    private void Wake()
    {
        if (thread is null)
        {
            thread = new Thread(Run) { IsBackground = true, Name = "audit sync" };
            thread.Start();
        }

        wake.Set();
    }

    private void Run()
    {
        while (true)
        {
            wake.WaitOne();
            if (stop.IsSet)
                return;
            var begun = Stopwatch.GetTimestamp();
            Sync();
            if (stop.Wait(Interval - Stopwatch.GetElapsedTime(begun) is { Ticks: > 0 } rest ? rest : TimeSpan.Zero))
                return;
        }
    }

    private void Sync()
    {
        List<TaskCompletionSource> told;
        lock (gate)
        {
            (flushing, dirty) = (dirty, []);
            (told, waiters) = (waiters, []);
        }

        foreach (var handle in flushing)
        {
            try
            {
                flush(handle);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                failed(e.Message);
            }
        }

        lock (gate)
        {
            flushing = [];
            foreach (var handle in closing.Where(handle => !dirty.Contains(handle)))
                handle.Dispose();
            closing.RemoveAll(static handle => handle.IsClosed);
        }

        // Also after a failure: mail does not wait for a disk that takes no events.
        foreach (var waiter in told)
            waiter.TrySetResult();
    }
}
