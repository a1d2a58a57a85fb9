using Postern.Smtp;

namespace Postern.Relay.Runtime;

/// <summary>
/// Snapshots that another one has taken the place of, until the last session that began with one has ended: a session keeps what it began
/// with. A connection on its way to become a session is given a minute.
/// </summary>
internal sealed class RetiredSnapshots : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private readonly SmtpServer server;
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private readonly Lock gate = new();
    private readonly List<(RelaySnapshot Snapshot, long Since)> waiting = [];

    public RetiredSnapshots(SmtpServer server, TimeProvider clock)
    {
        this.server = server;
        this.clock = clock;
        timer = clock.CreateTimer(_ => Look(), state: null, Interval, Interval);
    }

    /// <summary>How many are kept for sessions that are open.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return waiting.Count;
        }
    }

    public void Add(RelaySnapshot snapshot)
    {
        lock (gate)
            waiting.Add((snapshot, clock.GetTimestamp()));
    }

    /// <summary>
    /// All of them are told what is configured now, each by itself: were each only to know the one after it, a session that lasts would
    /// keep every configuration since.
    /// </summary>
    public void FollowedBy(RelaySnapshot next)
    {
        lock (gate)
        {
            foreach (var (snapshot, _) in waiting)
                snapshot.Accounts.FollowedBy(next.Accounts);
        }
    }

    /// <summary>No session is open any more.</summary>
    public void Dispose()
    {
        timer.Dispose();
        lock (gate)
        {
            foreach (var (snapshot, _) in waiting)
                snapshot.Dispose();
            waiting.Clear();
        }
    }

    private void Look()
    {
        lock (gate)
        {
            for (var i = waiting.Count - 1; i >= 0; i--)
            {
                var (snapshot, since) = waiting[i];
                if (clock.GetElapsedTime(since) < Grace || server.IsServing(options => ReferenceEquals(options.Policy, snapshot.Policy)))
                    continue;
                waiting.RemoveAt(i);
                snapshot.Dispose();
            }
        }
    }
}
