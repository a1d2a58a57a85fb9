using System.Collections.Concurrent;
using System.Net;
using Postern.Smtp.Overload;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp;

/// <summary>
/// An SMTP server: <see cref="Start"/> binds and accepts, <see cref="StopAsync"/> lets what is being received finish. Starts once.
/// </summary>
public sealed class SmtpServer : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<SmtpSession, byte> sessions = new();
    private readonly List<SmtpListener> listeners;
    private readonly List<Task> accepting = [];
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? ticker;
    private volatile bool stopping;
    private volatile bool cutOff;

    /// <exception cref="ArgumentException">A listener needs TLS and there is no certificate.</exception>
    public SmtpServer(SmtpServerOptions options)
    {
        Options = options;
        Gate = new ConnectionGate(options.MaxConnections, options.MaxConnectionsPerAddress);
        Load = new LoadMonitor([new ConnectionsGauge(Gate, options.MaxConnections), new MemoryGauge(options.MaxMemory), .. options.Gauges], options.Load, options.Events);
        foreach (var listener in options.Listeners)
        {
            if (listener.Tls != TlsMode.None && options.Tls is null)
                throw new ArgumentException($"listener '{listener.Name}' uses TLS, and no certificate is given", nameof(options));
        }

        listeners = [.. options.Listeners.Select(listener => new SmtpListener(this, listener))];
    }

    /// <summary>What each listener is bound to, with the real port numbers. Empty before <see cref="Start"/>.</summary>
    public IReadOnlyList<(SmtpListenerOptions Listener, IPEndPoint Endpoint)> Endpoints =>
        [.. listeners.SelectMany(static l => l.Bound.Select(endpoint => (l.Options, endpoint)))];

    /// <summary>Connections open now.</summary>
    public int Connections => Gate.Count;

    /// <summary>What it measures of itself, as of a second ago at most.</summary>
    public LoadReport LoadReport => Load.Report;

    internal SmtpServerOptions Options { get; }

    internal ConnectionGate Gate { get; }

    internal LoadMonitor Load { get; }

    internal bool IsStopping => stopping;

    /// <summary>Binds every endpoint, then accepts.</summary>
    /// <exception cref="ListenException">One endpoint cannot be bound; then none is.</exception>
    public void Start()
    {
        try
        {
            foreach (var listener in listeners)
                listener.Bind();
        }
        catch (ListenException)
        {
            CloseListeners();
            throw;
        }

        ticker = Options.Clock.CreateTimer(_ => OnTick(), state: null, Tick, Tick);
        accepting.AddRange(listeners.SelectMany(static l => l.Accept()));
    }

    /// <summary>
    /// Accepts no more, tells quiet clients 421 and waits until the others are done, at most until <paramref name="ct"/> is cancelled;
    /// then what is left is cut off: such a message was not acknowledged.
    /// </summary>
    public async Task StopAsync(CancellationToken ct)
    {
        if (stopping)
            return;
        stopping = true;
        CloseListeners();
        await Task.WhenAll(accepting);
        foreach (var session in sessions.Keys)
        {
            if (session.IsBetweenCommands)
                session.Interrupt(StandardReply.ShuttingDown);
        }

        NoteDrained();
        try
        {
            await drained.Task.WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            cutOff = true;
            foreach (var session in sessions.Keys)
                session.Interrupt(StandardReply.ShuttingDown);
        }

        if (ticker is not null)
            await ticker.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await StopAsync(now.Token);
    }

    internal void Enter(SmtpSession session)
    {
        sessions.TryAdd(session, 0);
        if (cutOff)
            session.Interrupt(StandardReply.ShuttingDown);
    }

    internal void Leave(SmtpSession session)
    {
        sessions.TryRemove(session, out _);
        NoteDrained();
    }

    /// <summary>Whoever has a place at the gate is or will be a session.</summary>
    internal void LeaveGate(IPAddress client)
    {
        Gate.Leave(client);
        NoteDrained();
    }

    private void NoteDrained()
    {
        if (stopping && sessions.IsEmpty && Gate.Count == 0)
            drained.TrySetResult();
    }

    private void OnTick()
    {
        Load.Sample();
        var now = Options.Clock.GetTimestamp();
        foreach (var (session, _) in sessions)
            session.ExpireAt(now);
    }

    private void CloseListeners()
    {
        foreach (var listener in listeners)
            listener.Close();
    }
}
