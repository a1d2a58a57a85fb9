using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Postern.Smtp.Extensions;
using Postern.Smtp.Grammar;
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

    /// <exception cref="ArgumentException">
    /// A listener needs TLS and there is no certificate, or does without an extension that there is not; the host name is none; a time is out of its range.
    /// </exception>
    public SmtpServer(SmtpServerOptions options)
    {
        Options = options;
        if (!Ascii.IsValid(options.Hostname) || !Domain.TryParse(options.Hostname, out _))
            throw new ArgumentException($"'{options.Hostname}' is no host name and no address literal", nameof(options));
        Gate = new ConnectionGate(options.MaxConnections, options.MaxConnectionsPerAddress);
        foreach (var listener in options.Listeners)
        {
            if (listener.Tls != TlsMode.None && options.Tls is null)
                throw new ArgumentException($"listener '{listener.Name}' uses TLS, and no certificate is given", nameof(options));
            if (listener.WithoutExtensions.FirstOrDefault(static keyword => !ExtensionTable.IsOptional(keyword)) is { } unknown)
                throw new ArgumentException($"listener '{listener.Name}' does without '{unknown}', which is none of {string.Join(' ', ExtensionTable.Optional)}", nameof(options));
        }

        ThrowUnlessSeconds(options.MaxHold, least: 1);
        ThrowUnlessSeconds(options.MinimumDeliverBy, least: 0);
        listeners = [.. options.Listeners.Select(listener => new SmtpListener(this, listener))];
    }

    /// <summary>What each listener is bound to, with the real port numbers. Empty before <see cref="Start"/>.</summary>
    public IReadOnlyList<(SmtpListenerOptions Listener, IPEndPoint Endpoint)> Endpoints =>
        [.. listeners.SelectMany(static l => l.Bound.Select(endpoint => (l.Options, endpoint)))];

    /// <summary>Connections open now.</summary>
    public int Connections => Gate.Count;

    internal SmtpServerOptions Options { get; }

    internal ConnectionGate Gate { get; }

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

        ticker = Options.Clock.CreateTimer(_ => ExpireSessions(), state: null, Tick, Tick);
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

        if (sessions.IsEmpty)
            drained.TrySetResult();
        try
        {
            await drained.Task.WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
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

    internal void Enter(SmtpSession session) => sessions.TryAdd(session, 0);

    internal void Leave(SmtpSession session)
    {
        sessions.TryRemove(session, out _);
        if (stopping && sessions.IsEmpty)
            drained.TrySetResult();
    }

    private void ExpireSessions()
    {
        var now = Options.Clock.GetTimestamp();
        foreach (var (session, _) in sessions)
            session.ExpireAt(now);
    }

    /// <summary>RFC 2852 and RFC 4865 write times in seconds, of at most nine digits.</summary>
    private static void ThrowUnlessSeconds(TimeSpan time, int least)
    {
        if (time.TotalSeconds < least || time.TotalSeconds > 999_999_999)
            throw new ArgumentException($"{time} is not {least} to 999,999,999 seconds", nameof(time));
    }

    private void CloseListeners()
    {
        foreach (var listener in listeners)
            listener.Close();
    }
}
