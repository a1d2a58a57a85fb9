using System.Collections.Concurrent;
using System.Net;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Overload;
using System.Runtime.CompilerServices;
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

    /// <summary>How long a session that says nothing may outlive its login.</summary>
    private static readonly TimeSpan ReviewInterval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<SmtpSession, byte> sessions = new();
    private readonly ConditionalWeakTable<SmtpListenerOptions, SmtpListener> handedOver = [];
    private readonly List<SmtpListener> listeners;
    private readonly List<Task> accepting = [];
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource closing = new();
    private ITimer? ticker;
    private Task reviewing = Task.CompletedTask;
    private long reviewedAt;
    private volatile bool stopping;
    private volatile bool cutOff;
    private bool started;

    /// <summary>Reviews the options and keeps a copy. Nothing is bound yet.</summary>
    /// <exception cref="ArgumentException">The options hold mistakes; the message lists all of them.</exception>
    public SmtpServer(SmtpServerOptions options)
    {
        Options = OptionsReview.Freeze(options);
        Closing = closing.Token;
        Gate = new ConnectionGate(options.MaxConnections, options.MaxConnectionsPerAddress);
        Handshakes = new HandshakeSlots(options.MaxHandshakes);
        Load = new LoadMonitor([new ConnectionsGauge(Gate, options.MaxConnections), new MemoryGauge(options.MaxMemory), .. Options.Gauges], options.Load, Options.Events);
        listeners = [.. Options.Listeners.Select(listener => new SmtpListener(this, listener))];
    }

    /// <summary>What each listener was bound to by <see cref="Start"/>, with the real port numbers. Empty before.</summary>
    public IReadOnlyList<(SmtpListenerOptions Listener, IPEndPoint Endpoint)> Endpoints =>
        [.. listeners.SelectMany(static l => l.Bound.Select(endpoint => (l.Options, endpoint)))];

    /// <summary>Connections open now.</summary>
    public int Connections => Gate.Count;

    /// <summary>What it measures of itself, as of a second ago at most.</summary>
    public LoadReport LoadReport => Load.Report;

    /// <summary>The sessions that are open now, in no order.</summary>
    public IReadOnlyList<OpenSession> Sessions => [.. sessions.Keys.Select(static s => OpenSession.Of(s.State))];

    internal SmtpServerOptions Options { get; }

    internal ConnectionGate Gate { get; }

    internal HandshakeSlots Handshakes { get; }

    internal LoadMonitor Load { get; }

    /// <summary>Cancelled when the server begins to stop: a connection that is no session yet is dropped.</summary>
    internal CancellationToken Closing { get; }

    internal bool IsStopping => stopping;

    /// <summary>Binds every endpoint, then accepts.</summary>
    /// <exception cref="InvalidOperationException">There is no listener, or it has been started or stopped before.</exception>
    /// <exception cref="ListenException">One endpoint cannot be bound; then none is, and it may be tried again.</exception>
    public void Start()
    {
        if (listeners.Count == 0)
            throw new InvalidOperationException("there is nothing to listen on: call Listen on the options, or set Listeners");
        if (started || stopping)
            throw new InvalidOperationException("a server starts once: for another start make a new one");
        try
        {
            foreach (var listener in listeners)
                listener.Bind();
        }
        catch (ListenException)
        {
            foreach (var listener in listeners)
                listener.Unbind();
            throw;
        }

        started = true;
        if (Options.Tls is not null)
            _ = TlsBindings.OfThisMachineAsync();
        Watch();
        accepting.AddRange(listeners.SelectMany(static l => l.Accept()));
    }

    /// <summary>
    /// Holds one SMTP session on a stream that somebody else accepted, from the greeting to the end; before <see cref="Start"/>, without it, or
    /// beside it. It counts like any connection: against the limits, in <see cref="Connections"/>, and for <see cref="StopAsync"/>.
    /// </summary>
    /// <param name="stream">Duplex. It is the server's from now on, and disposed when the task completes, however it does.</param>
    /// <param name="remote">The client. What is not an IP endpoint counts as 255.255.255.255, which no network list should hold.</param>
    /// <param name="listener">What is on offer; its endpoints are not looked at. Keep the object: what follows from it is worked out once for each.</param>
    /// <param name="ct">Ends the session with 421 as soon as it waits for the client; a message in the middle of its content is then not accepted.</param>
    /// <exception cref="ArgumentException">The listener asks for something that the server's options lack, such as a certificate.</exception>
    /// <exception cref="IOException">The client was turned away, and left before it could be told.</exception>
    public async Task ServeAsync(Stream stream, EndPoint remote, SmtpListenerOptions listener, CancellationToken ct)
    {
        await using var owned = stream;
        var place = listeners.Find(l => ReferenceEquals(l.Options, listener)) ?? handedOver.GetValue(listener, options =>
        {
            OptionsReview.Check(Options, options);
            return new SmtpListener(this, options);
        });
        if (stopping)
        {
            await stream.WriteAsync(StandardReply.ShuttingDown.Encoded, ct);
            return;
        }

        Watch();
        await place.WelcomeAsync(stream, remote, ct);
    }

    /// <summary>Offers these mechanisms, in this order, on a listener of the options, in the place of <see cref="SmtpListenerOptions.Mechanisms"/>; from the next command of every session on.</summary>
    /// <param name="listener">The object that stands in the options. Another one is not known, and nothing happens.</param>
    /// <param name="mechanisms">Names; what nobody can answer is left out.</param>
    public void Offer(SmtpListenerOptions listener, IReadOnlyList<string> mechanisms) => listeners.Find(l => ReferenceEquals(l.Options, listener))?.Offer(mechanisms);

    /// <summary>
    /// Accepts no more, tells quiet clients 421 and waits until the others are done, at most until <paramref name="ct"/> is cancelled;
    /// then what is left is cut off: such a message was not acknowledged. Called again, it waits as well, with a patience of its own.
    /// </summary>
    public async Task StopAsync(CancellationToken ct)
    {
        if (!stopping)
            await BeginStopAsync();
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

    private async Task BeginStopAsync()
    {
        stopping = true;
        CloseListeners();
        await closing.CancelAsync();
        await Task.WhenAll(accepting);
        foreach (var session in sessions.Keys)
        {
            if (session.IsBetweenCommands)
                session.Interrupt(StandardReply.ShuttingDown);
        }

        NoteDrained();
    }

    /// <summary>
    /// Ends with 421 every session that <paramref name="which"/> chooses, and says how many those are. One that is sending content is cut off; one whose
    /// message is being stored gets its answer first.
    /// </summary>
    public int EndSessions(Func<OpenSession, bool> which)
    {
        var ended = 0;
        foreach (var (session, _) in sessions)
        {
            if (!which(OpenSession.Of(session.State)))
                continue;
            session.Dismiss(StandardReply.Dismissed);
            ended++;
        }

        return ended;
    }

    /// <summary>
    /// Asks for every open session whether its login still holds, as happens every five seconds anyway, and ends those whose login is gone. To be called when
    /// rights were taken away.
    /// </summary>
    public Task<LoginsReviewed> ReviewLoginsAsync(CancellationToken ct) => ReviewLoginsAsync(isPatient: true, ct);

    private async Task<LoginsReviewed> ReviewLoginsAsync(bool isPatient, CancellationToken ct)
    {
        var (ended, unsure) = (0, 0);
        foreach (var (session, _) in sessions)
        {
            switch (await session.ReviewFromOutsideAsync(ct))
            {
                case LoginAnswer.NoMatch:
                    ended++;
                    break;
                case LoginAnswer.Unavailable or LoginAnswer.Busy:
                    unsure++;
                    if (!isPatient)
                        return new LoginsReviewed(ended, unsure);
                    break;
            }
        }

        return new LoginsReviewed(ended, unsure);
    }

    /// <summary>Stops without waiting: what is being received is cut off and was not acknowledged. Call <see cref="StopAsync"/> first to let it finish.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await StopAsync(now.Token);
        closing.Dispose();
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
    /// <param name="client">Null: a load balancer's connection that never named one.</param>
    internal void LeaveGate(IPAddress? client)
    {
        if (client is null)
            Gate.AbandonUnnamed();
        else
            Gate.Leave(client);
        NoteDrained();
    }

    private void NoteDrained()
    {
        if (stopping && sessions.IsEmpty && Gate.Count == 0)
            drained.TrySetResult();
    }

    /// <summary>Sees to it that sessions are ended when their time is up.</summary>
    private void Watch()
    {
        lock (sessions)
            ticker ??= Options.Clock.CreateTimer(_ => OnTick(), state: null, Tick, Tick);
    }

    private void OnTick()
    {
        Load.Sample();
        var now = Options.Clock.GetTimestamp();
        foreach (var (session, _) in sessions)
            session.ExpireAt(now);
        if (reviewing.IsCompleted && Options.Clock.GetElapsedTime(reviewedAt, now) >= ReviewInterval)
        {
            // Apart from the clock: a store may take its time, and then there is no second question meanwhile, nor for the rest of the sessions.
            reviewedAt = now;
            reviewing = Task.Run(ReviewQuietlyAsync);
        }
    }

    private async Task ReviewQuietlyAsync()
    {
        try
        {
            await ReviewLoginsAsync(isPatient: false, Closing);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private void CloseListeners()
    {
        foreach (var listener in listeners)
            listener.Close();
    }
}
