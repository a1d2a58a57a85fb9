namespace Postern.Smtp.Transport.Tls;

/// <summary>
/// How many handshakes may compute at once, over all listeners; others wait in order of arrival. Only computing takes a slot: a client
/// that is waited for holds none, so half-open handshakes, however many, keep nobody out. What it saves sessions from is standing behind a
/// thousand signatures in the thread pool's queue.
/// </summary>
internal sealed class HandshakeSlots(int count)
{
    private readonly Lock gate = new();
    private readonly Queue<Waiter> waiting = new();
    private int most = Positive(count);
    private int free = count;

    /// <summary>From now on so many: where they are fewer, those that compute finish first.</summary>
    public void Apply(int count)
    {
        lock (gate)
        {
            free += Positive(count) - most;
            most = count;
            while (free > 0 && waiting.TryDequeue(out var next))
            {
                if (next.TryGrant())
                    free--;
            }
        }
    }

    /// <summary>Each take that succeeds is answered by one <see cref="GiveBack"/>.</summary>
    public ValueTask TakeAsync(CancellationToken ct)
    {
        Waiter waiter;
        lock (gate)
        {
            if (free > 0)
            {
                free--;
                return ValueTask.CompletedTask;
            }

            waiter = new Waiter();
            waiting.Enqueue(waiter);
        }

        return waiter.WaitAsync(ct);
    }

    public void GiveBack()
    {
        lock (gate)
        {
            while (free >= 0 && waiting.TryDequeue(out var next))
            {
                if (next.TryGrant())
                    return;
            }

            free++;
        }
    }

    private static int Positive(int count) =>
        count > 0 ? count : throw new ArgumentOutOfRangeException(nameof(count), count, "no handshake could ever be made");

    /// <summary>Goes on at the end of the thread pool's queue, behind the sessions that have something to do.</summary>
    private sealed class Waiter : IThreadPoolWorkItem
    {
        private readonly TaskCompletionSource granted = new();
        private int isDecided;

        public async ValueTask WaitAsync(CancellationToken ct)
        {
            await using var _ = ct.UnsafeRegister(static (waiter, token) => ((Waiter)waiter!).Cancel(token), this);
            await granted.Task;
        }

        public bool TryGrant()
        {
            if (Interlocked.Exchange(ref isDecided, 1) != 0)
                return false;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            return true;
        }

        public void Execute() => granted.SetResult();

        private void Cancel(CancellationToken ct)
        {
            if (Interlocked.Exchange(ref isDecided, 1) == 0)
                granted.SetCanceled(ct);
        }
    }
}
