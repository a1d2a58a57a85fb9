using System.Runtime.InteropServices;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts;

/// <summary>
/// The only place where passwords are hashed: a few threads of low priority behind a short queue that is fair between networks, so that a
/// flood of logins starves neither relaying nor the logins of others. Identical attempts under way at the same time share one computation.
/// </summary>
public sealed partial class HashingPool : IDisposable
{
    /// <summary>The nice value of the threads: about a tenth of a contended core.</summary>
    private const int Niceness = 10;

    private HashingPoolOptions options;
    private readonly object gate = new();
    private readonly HashingQueue waiting;
    private readonly Dictionary<VerificationKey, HashingJob> underWay = [];
    private readonly Dictionary<string, int> networks = new(StringComparer.Ordinal);
    private readonly List<Thread> threads = [];
    private bool stopped;
    private long computed;

    public HashingPool(HashingPoolOptions options, TimeProvider? clock = null)
    {
        this.options = options;
        waiting = new HashingQueue(options.QueueLength, clock ?? TimeProvider.System);
        Staff();
    }

    /// <summary>
    /// Takes other settings from now on. What waits or runs is not lost; a thread that is one too many ends after the attempt that it is
    /// at.
    /// </summary>
    public void Apply(HashingPoolOptions settings)
    {
        lock (gate)
        {
            if (stopped || settings == options)
                return;
            options = settings;
            waiting.Capacity = settings.QueueLength;
            Staff();
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Attempts that were hashed since start.</summary>
    public long Computed => Interlocked.Read(ref computed);

    /// <summary>Attempts that wait for a thread.</summary>
    public int Waiting
    {
        get
        {
            lock (gate)
                return waiting.Count;
        }
    }

    /// <summary>The part of the queue that is taken, 0 to 1.</summary>
    public double Fill
    {
        get
        {
            lock (gate)
                return (double)waiting.Count / options.QueueLength;
        }
    }

    /// <summary>Hears of all work that is done, on the threads that do it; for tests.</summary>
    internal Action<HashCost>? Spent { get; set; }

    /// <summary>
    /// Checks <paramref name="password"/> against every credential of <paramref name="login"/>, and computes <paramref name="atLeast"/> in
    /// all where it does not log in. Answers <see cref="LoginAnswer.Busy"/> at once when there is no place, and later when the place went
    /// to a network that takes less. The password is copied, and the copy zeroed after use.
    /// </summary>
    public async ValueTask<LoginAnswer> CheckAsync(
        VerificationKey key,
        StoredLogin login,
        ReadOnlyMemory<byte> password,
        HashCosts atLeast,
        string? peer,
        bool isKnown,
        DateTimeOffset now,
        CancellationToken ct)
    {
        HashingJob? job;
        HashingJob? displaced = null;
        lock (gate)
        {
            if (!underWay.TryGetValue(key, out job))
            {
                job = new HashingJob(key, login, password.ToArray(), atLeast, peer, isKnown, now);
                if (WhyNot(job.Network) is { } reason)
                    return new LoginAnswer.Busy(reason);
                if (!waiting.TryAdd(job, out displaced))
                    return new LoginAnswer.Busy("too many logins are waiting to be checked");
                Admit(job);
            }
        }

        if (displaced is not null)
            Finish(
                displaced,
                new LoginAnswer.Busy("too many logins are waiting to be checked, and its network takes more places than others"));
        return await job.Answer.WaitAsync(ct);
    }

    /// <summary>Ends the threads after the attempts they are at; those that wait are told that they cannot be checked.</summary>
    public void Dispose()
    {
        HashingJob[] left;
        Thread[] working;
        lock (gate)
        {
            stopped = true;
            left = waiting.Clear();
            working = [.. threads];
            Monitor.PulseAll(gate);
        }

        foreach (var job in left)
            Finish(job, new LoginAnswer.Busy("the server is stopping"));
        foreach (var thread in working)
            thread.Join();
    }

    /// <summary>Starts the threads that are missing.</summary>
    private void Staff()
    {
        while (threads.Count < options.Threads)
        {
            var thread = new Thread(Work) { IsBackground = true, Name = $"hashing {threads.Count}" };
            threads.Add(thread);
            thread.Start();
        }
    }

    private string? WhyNot(string? network)
    {
        if (stopped)
            return "the server is stopping";
        return network is not null && networks.GetValueOrDefault(network) >= options.PlacesPerPeer
            ? "too many logins from this address are waiting to be checked"
            : null;
    }

    private void Admit(HashingJob job)
    {
        underWay.Add(job.Key, job);
        if (job.Network is { } network)
            networks[network] = networks.GetValueOrDefault(network) + 1;
        Monitor.Pulse(gate);
    }

    private void Work()
    {
        LowerPriority();
        while (TakeNext() is { } job)
        {
            var answer = job.Run(Spent);
            Interlocked.Increment(ref computed);
            Finish(job, answer);
        }
    }

    private HashingJob? TakeNext()
    {
        lock (gate)
        {
            while (!stopped && waiting.Count == 0 && threads.Count <= options.Threads)
                Monitor.Wait(gate);
            if (stopped)
                return null;
            if (threads.Count <= options.Threads)
                return waiting.Take();
            threads.Remove(Thread.CurrentThread);
            return null;
        }
    }

    private void Finish(HashingJob job, LoginAnswer answer)
    {
        lock (gate)
        {
            underWay.Remove(job.Key);
            if (answer is LoginAnswer.Found<StoredCredential>)
                waiting.Forgive(job);
            if (job.Network is { } network && --networks[network] == 0)
                networks.Remove(network);
        }

        job.Complete(answer);
    }

    /// <summary>The runtime ignores <see cref="ThreadPriority"/> on Linux; there, setpriority(2) on 0 means the calling thread.</summary>
    internal static void LowerPriority()
    {
        if (OperatingSystem.IsLinux())
            _ = SetPriority(which: 0, who: 0, Niceness);
        else
            Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetPriority(int which, int who, int priority);
}
