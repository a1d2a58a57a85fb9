using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Events;
using Postern.Smtp.Extensions;
using Postern.Smtp.Listeners;
using Postern.Smtp.Overload;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Smtp.Transport.Tls;

namespace Postern.Smtp;

/// <summary>
/// An SMTP server: <see cref="Start"/> binds and accepts, <see cref="Apply"/> gives it other options while it runs, <see cref="StopAsync"/>
/// lets what is being received finish. Starts once.
/// </summary>
public sealed class SmtpServer : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    /// <summary>How long a session that says nothing may outlive its login.</summary>
    private static readonly TimeSpan ReviewInterval = TimeSpan.FromSeconds(5);

    /// <summary>Its clock has stood still for longer than any machine is busy.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(60);

    private readonly Lock changing = new();
    private readonly TimeProvider clock;
    private readonly ConnectionsGauge connections;
    private readonly LoadMonitor load;
    private readonly OpenSessions sessions;
    private readonly Admission admission;
    private readonly Meter? ownMeter;
    private readonly SmtpInstruments instruments;
    private readonly List<Task> accepting = [];
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource closing = new();
    private readonly CancellationToken closed;
    private volatile Services current;
    private ITimer? ticker;
    private Task reviewing = Task.CompletedTask;
    private long reviewedAt;
    private long tickedAt;
    private volatile bool stopping;
    private bool started;

    /// <summary>Reviews the options and keeps a copy. Nothing is bound yet.</summary>
    /// <exception cref="ArgumentException">The options hold mistakes; the message lists all of them.</exception>
    public SmtpServer(SmtpServerOptions options)
    {
        var reviewed = OptionsReview.Freeze(options);
        closed = closing.Token;
        clock = reviewed.Clock;
        Gate = new ConnectionGate(reviewed.MaxConnections, reviewed.MaxConnectionsPerAddress, NoteDrained);
        connections = new ConnectionsGauge(Gate);
        Handshakes = new HandshakeSlots(reviewed.MaxHandshakes);
        load = new LoadMonitor(GaugesOf(reviewed), reviewed.Load, NoteLoad, NoteGaugeFault);
        sessions = new OpenSessions(NoteDrained);
        admission = new Admission(Gate, load, sessions, closed);
        var meter = reviewed.Meters?.Create(new MeterOptions(SmtpInstruments.MeterName))
            ?? (ownMeter = new Meter(new MeterOptions(SmtpInstruments.MeterName) { Scope = this }));
        instruments = new SmtpInstruments(meter, SessionsByListener);
        LoadInstruments.Create(meter, load);
        current = new Services(reviewed, before: null, Make);
    }

    /// <summary>The keywords that <see cref="SmtpListenerOptions.WithoutExtensions"/> may name.</summary>
    public static IReadOnlyList<string> OptionalExtensions { get; } = [.. ExtensionTable.Optional];

    /// <summary>
    /// What each listener is bound to since <see cref="Start"/> or <see cref="Apply"/>, with the real port numbers. Empty before.
    /// </summary>
    public IReadOnlyList<(SmtpListenerOptions Listener, IPEndPoint Endpoint)> Endpoints =>
        [.. current.Bindings.Select(static b => (b.Service.Options, b.Acceptor.Bound))];

    /// <summary>Connections open now.</summary>
    public int Connections => Gate.Count;

    /// <summary>What it measures of itself, as of a second ago at most.</summary>
    public LoadReport LoadReport => load.Report;

    /// <summary>
    /// Every endpoint is bound and accepts, and the clock that looks after sessions has run in the last minute. False before the start and
    /// from the beginning of the end.
    /// </summary>
    public bool IsAccepting =>
        started && !stopping
        && clock.GetElapsedTime(Volatile.Read(ref tickedAt)) < LongestSilence
        && current.Bindings.All(static b => !b.Acceptor.HasEnded);

    /// <summary>The sessions that are open now, in no order.</summary>
    public IReadOnlyList<OpenSession> Sessions => [.. sessions.All.Select(static s => OpenSession.Of(s.State))];

    /// <summary>Those of this moment.</summary>
    internal SmtpServerOptions Options => current.Options;

    /// <summary>
    /// Whether a session is open that began with options which <paramref name="which"/> chooses: as long as one is, what those options hold
    /// is in use, whatever <see cref="Apply"/> has put in their place.
    /// </summary>
    public bool IsServing(Func<SmtpServerOptions, bool> which) => sessions.All.Any(session => which(session.Server));

    internal ConnectionGate Gate { get; }

    internal HandshakeSlots Handshakes { get; }

    /// <summary>Binds every endpoint, then accepts.</summary>
    /// <exception cref="InvalidOperationException">There is no listener, or it has been started or stopped before.</exception>
    /// <exception cref="ListenException">One endpoint cannot be bound; then none is, and it may be tried again.</exception>
    public void Start()
    {
        lock (changing)
        {
            if (current.Listeners.IsEmpty)
                throw new InvalidOperationException("there is nothing to listen on: call Listen on the options, or set Listeners");
            if (started || stopping)
                throw new InvalidOperationException("a server starts once: for another start make a new one");
            current.Bind([]);
            started = true;
            if (current.Options.Tls is not null)
                _ = TlsBindings.OfThisMachineAsync();
            Watch();
            Accept(current.Bindings.Select(static b => b.Acceptor));
        }
    }

    /// <summary>
    /// Goes on with other options, as one step, at any time and from any thread. An endpoint that stays keeps its socket and whoever waits
    /// in its backlog; a new one is bound before anything else changes; one that is gone accepts no more. Sessions that are open go on with
    /// what they began with; new connections get the new options. Limits over all connections, handshakes, gauges and thresholds count at
    /// once, and nobody is cut off by them.
    /// </summary>
    /// <remarks>
    /// A listener with port 0 keeps its port as long as it keeps its name and that endpoint. Before <see cref="Start"/> nothing is bound,
    /// and the options take the place of the constructor's. <see cref="SmtpServerOptions.Clock"/> is the one thing that stays for good.
    /// </remarks>
    /// <returns>What was added, kept, changed and removed.</returns>
    /// <exception cref="ArgumentException">The options hold mistakes; the message lists all of them, and nothing has changed.</exception>
    /// <exception cref="ListenException">A new endpoint cannot be bound; nothing has changed.</exception>
    /// <exception cref="InvalidOperationException">The server has been stopped.</exception>
    public AppliedListeners Apply(SmtpServerOptions options)
    {
        var reviewed = OptionsReview.Freeze(options, clock);
        lock (changing)
        {
            if (stopping)
                throw new InvalidOperationException("the server has been stopped: it takes no other options");
            var before = current;
            var next = new Services(reviewed, before, Make);
            if (started)
                next.Bind(before.Bindings);
            current = next;
            Gate.Apply(reviewed.MaxConnections, reviewed.MaxConnectionsPerAddress);
            Handshakes.Apply(reviewed.MaxHandshakes);
            load.Apply(GaugesOf(reviewed), reviewed.Load);
            if (started && reviewed.Tls is not null)
                _ = TlsBindings.OfThisMachineAsync();

            var bound = before.Bindings.Select(static b => b.Acceptor).ToHashSet();
            Accept(next.Bindings.Select(static b => b.Acceptor).Where(a => !bound.Contains(a)));
            foreach (var acceptor in bound.Except(next.Bindings.Select(static b => b.Acceptor)))
                acceptor.Close();
            return next.ComparedWith(before);
        }
    }

    /// <summary>
    /// Holds one SMTP session on a stream that somebody else accepted, from the greeting to the end; before <see cref="Start"/>, without
    /// it, or beside it. It counts like any connection: against the limits, in <see cref="Connections"/>, and for <see cref="StopAsync"/>.
    /// </summary>
    /// <param name="stream">Duplex. It is the server's from now on, and disposed when the task completes, however it does.</param>
    /// <param name="remote">The client. What is not an IP endpoint counts as 255.255.255.255, which no network list should hold.</param>
    /// <param name="listener">
    /// What is on offer, with the server's options of this moment; its endpoints are not looked at. Keep the object: what follows from it
    /// is worked out once for each.
    /// </param>
    /// <param name="ct">
    /// Ends the session with 421 as soon as it waits for the client; a message in the middle of its content is then not accepted.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The listener asks for something that the server's options lack, such as a certificate.
    /// </exception>
    /// <exception cref="IOException">The client was turned away, and left before it could be told.</exception>
    public async Task ServeAsync(Stream stream, EndPoint remote, SmtpListenerOptions listener, CancellationToken ct)
    {
        await using var owned = stream;
        var service = current.For(listener);
        if (stopping)
        {
            await stream.WriteAsync(StandardReply.ShuttingDown.Encoded, ct);
            return;
        }

        Watch();
        await admission.WelcomeAsync(service, stream, remote, ct);
    }

    /// <summary>
    /// Offers these mechanisms, in this order, in the place of <see cref="SmtpListenerOptions.Mechanisms"/>; from the next command of every
    /// session on, those included that began before the last <see cref="Apply"/>.
    /// </summary>
    /// <param name="listener">
    /// The object that stands in the options, or stood there when a session began that is still open. Another one is not known, and nothing
    /// happens. What is offered stays when the same object is applied again.
    /// </param>
    /// <param name="mechanisms">Names; what nobody can answer is left out.</param>
    public void Offer(SmtpListenerOptions listener, IReadOnlyList<string> mechanisms)
    {
        lock (changing)
        {
            var services = current.Listeners.Concat(sessions.All.Select(static s => s.Service))
                .Where(s => ReferenceEquals(s.Options, listener));
            foreach (var service in services.ToHashSet())
                service.Offer(mechanisms);
        }
    }

    /// <summary>
    /// Accepts no more, tells quiet clients 421 and waits until the others are done, at most until <paramref name="ct"/> is cancelled;
    /// then what is left is cut off: such a message was not acknowledged. Called again, it waits as well, with a patience of its own.
    /// </summary>
    public async Task StopAsync(CancellationToken ct)
    {
        if (TryBeginStop())
        {
            await closing.CancelAsync();
            await Task.WhenAll(accepting);
            sessions.EndQuiet();
            NoteDrained();
        }

        try
        {
            await drained.Task.WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            sessions.CutOff();
        }

        if (ticker is not null)
            await ticker.DisposeAsync();
    }

    /// <summary>
    /// Ends with 421 every session that <paramref name="which"/> chooses, and says how many those are. One that is sending content is cut
    /// off; one whose message is being stored gets its answer first.
    /// </summary>
    public int EndSessions(Func<OpenSession, bool> which) => sessions.End(which);

    /// <summary>
    /// Asks for every open session whether its login still holds, as happens every five seconds anyway, and ends those whose login is gone.
    /// To be called when rights were taken away.
    /// </summary>
    public Task<LoginsReviewed> ReviewLoginsAsync(CancellationToken ct) => sessions.ReviewLoginsAsync(isPatient: true, ct);

    /// <summary>
    /// Stops without waiting: what is being received is cut off and was not acknowledged. Call <see cref="StopAsync"/> first to let it
    /// finish.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await StopAsync(now.Token);
        ownMeter?.Dispose();
        closing.Dispose();
    }

    /// <summary>What the sessions of this listener share now.</summary>
    internal Service ServiceOf(SmtpListenerOptions listener) => current.For(listener);

    /// <summary>Holds one session to its end, past the Gate.</summary>
    internal Task HoldAsync(Stream stream, SmtpListenerOptions listener, IPAddress client, int port = 1) =>
        admission.HoldAsync(current.For(listener), stream, new IPEndPoint(client, port));

    private Service Make(SmtpServerOptions options, SmtpListenerOptions listener, ListenerTls? tls)
    {
        if (tls is null && listener.Tls != TlsMode.None && options.Tls is { } shown)
            tls = new ListenerTls(shown, listener, Handshakes);
        return new Service(options, listener, load, instruments, tls, closed);
    }

    /// <summary>Also of listeners that have none, and of those that are gone and still have some.</summary>
    private IEnumerable<(string Listener, int Sessions)> SessionsByListener()
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var service in current.Listeners)
            counts[service.Options.Name] = 0;
        foreach (var session in sessions.All)
        {
            var name = session.Service.Options.Name;
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }

        return counts.Select(static one => (one.Key, one.Value));
    }

    private IEnumerable<IPressureGauge> GaugesOf(SmtpServerOptions options) =>
        [connections, new MemoryGauge(options.MaxMemory), .. options.Gauges];

    private void Accept(IEnumerable<Acceptor> acceptors)
    {
        accepting.RemoveAll(static loop => loop.IsCompleted);
        accepting.AddRange(acceptors.Select(acceptor => Task.Run(() => acceptor.AcceptAsync(Welcome, NoteTrouble))));
    }

    private void Welcome(Acceptor acceptor, Socket client)
    {
        if (current.Of(acceptor) is { } service)
            admission.Welcome(service, acceptor, client);
        else
            client.Dispose(); // it was accepted in the moment in which its endpoint was removed
    }

    private void NoteLoad(LoadState state, string gauge, double value) => Options.Events.OnLoadChanged(state, gauge, value);

    private void NoteGaugeFault(string gauge, Exception fault) => Options.Events.OnGaugeFault(gauge, fault);

    private void NoteTrouble(Acceptor acceptor, string trouble)
    {
        var now = current;
        if (now.Of(acceptor) is { } service)
            now.Options.Events.OnListenerTrouble(service.Options.Name, trouble);
    }

    private bool TryBeginStop()
    {
        lock (changing)
        {
            if (stopping)
                return false;
            stopping = true;
            foreach (var binding in current.Bindings)
                binding.Acceptor.Close();
            return true;
        }
    }

    /// <summary>Whoever has a place at the Gate is or will be a session.</summary>
    private void NoteDrained()
    {
        if (stopping && sessions.IsEmpty && Gate.Count == 0)
            drained.TrySetResult();
    }

    /// <summary>Sees to it that sessions are ended when their time is up.</summary>
    private void Watch()
    {
        lock (sessions)
        {
            if (ticker is not null)
                return;
            Volatile.Write(ref tickedAt, clock.GetTimestamp());
            ticker = clock.CreateTimer(_ => OnTick(), state: null, Tick, Tick);
        }
    }

    private void OnTick()
    {
        load.Sample();
        var now = clock.GetTimestamp();
        Volatile.Write(ref tickedAt, now);
        sessions.ExpireAt(now);
        if (reviewing.IsCompleted && clock.GetElapsedTime(reviewedAt, now) >= ReviewInterval)
        {
            // Apart from the clock: a store may take its time, and then there is no second question meanwhile, nor for the rest of the
            // sessions.
            reviewedAt = now;
            reviewing = Task.Run(ReviewQuietlyAsync);
        }
    }

    private async Task ReviewQuietlyAsync()
    {
        try
        {
            await sessions.ReviewLoginsAsync(isPatient: false, closed);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }
}
