using System.Net;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Policy;
using Postern.Relay.Spool;
using Postern.Smtp;
using Postern.Smtp.Overload;
using Postern.Smtp.Transport;

namespace Postern.Relay.Runtime;

/// <summary>
/// The running relay: opens what lasts (directory, spool, log), then what listens, then what delivers. Opening may throw
/// <see cref="DirectoryUnavailableException"/>, <see cref="SpoolUnavailableException"/> or <see cref="ListenException"/>; each message says
/// what to do.
/// </summary>
public sealed class RelayService : IAsyncDisposable
{
    private readonly RelayAccounts accounts;
    private readonly OfferWatch offer;
    private readonly RelayTotals audit;
    private readonly TimeProvider clock;
    private readonly SmtpServer server;
    private bool isStopped;

    private RelayService(RelayOptions options, TimeProvider clock, SqliteDirectory directory, ISpool spool)
    {
        this.clock = clock;
        Options = options;
        Directory = directory;
        Spool = spool;
        audit = new RelayTotals(new JsonLinesAuditLog(
            new AuditLogOptions
            {
                Directory = options.LogDirectory ?? RelayOptions.DefaultLogDirectory(options.DataDirectory),
                KeepDays = options.LogDays,
                MostOctets = options.LogOctets,
                WithSubjects = options.LogSubjects,
                SpoolReserve = total => SpoolOf(options).ReserveOf(total),
                Exempt = options.Accounts.Protection.Exempt,
                Copy = options.LogCopy,
            },
            clock));
        accounts = new RelayAccounts(options.Accounts, directory, audit, clock, RelayOptions.LoginProtectionFile(options.DataDirectory), isServer: true);
        Policy = new RelayPolicy(options.Policy, accounts.Directory, audit, clock);
        Deliveries = new DeliveryScheduler(spool, new SmtpDelivery(options.Delivery, clock, () => [.. server!.Endpoints.Select(static e => e.Endpoint)]), options.Delivery, audit, clock);
        var usual = accounts.Verifiers.UsualMechanisms;
        SmtpListenerOptions[] listeners = [.. options.Listeners.Select(listener => listener.Mechanisms is null ? listener with { Mechanisms = usual, WithholdsUnboundPlus = true } : listener)];
        server = new SmtpServer(new SmtpServerOptions
        {
            Hostname = options.Hostname,
            Listeners = [.. listeners],
            Tls = options.Tls,
            Policy = Policy,
            MailboxVerifier = new OwnMailboxes(accounts.Directory),
            QueueStarter = options.EtrnDomains.Count == 0 ? null : new EtrnDomains(options.EtrnDomains, Deliveries, clock),
            Store = new SubmissionStore(spool, audit, clock, options.TracesSenders ? accounts.Directory : null, options.Delivery.Routes.CanRequireTls),
            Events = new RelayEvents(audit, clock),
            Sasl = accounts.Context,
            ClientCertificateUsers = accounts.Certificates,
            Limits = options.Limits,
            MaxConnections = options.MaxConnections,
            MaxConnectionsPerAddress = options.MaxConnectionsPerAddress,
            MaxMemory = options.MaxMemory,
            Gauges = [new HashingGauge(accounts.Hashing), new CommitGauge(spool), new SpoolGauge(spool)],
            Clock = clock,
        });
        offer = new OfferWatch(server, [.. listeners.Where((_, i) => options.Listeners[i].Mechanisms is null)], accounts.Verifiers, usual, audit, clock);
    }

    public RelayOptions Options { get; }

    public SqliteDirectory Directory { get; }

    public ISpool Spool { get; }

    public RelayPolicy Policy { get; }

    public DeliveryScheduler Deliveries { get; }

    /// <summary>Client sessions, for operators.</summary>
    public ISessionControl Sessions => new ServerSessions(server);

    public IAuditLog Audit => audit;

    /// <summary>How many guesses are checked.</summary>
    public LoginProtection Protection => accounts.Protection;

    public RelayTotals Totals => audit;

    /// <summary>What each listener is bound to, with the real port numbers.</summary>
    public IReadOnlyList<(SmtpListenerOptions Listener, IPEndPoint Endpoint)> Endpoints => server.Endpoints;

    /// <summary>Client connections open now.</summary>
    public int Connections => server.Connections;

    /// <summary>How much of what can run short is taken.</summary>
    public LoadReport Load => server.LoadReport;

    /// <summary>Opens everything, accepts mail and begins to deliver.</summary>
    public static async Task<RelayService> StartAsync(RelayOptions options, TimeProvider clock)
    {
        var directory = SqliteDirectory.Open(new SqliteDirectoryOptions(RelayOptions.DirectoryFile(options.DataDirectory)) { Clock = clock });
        ISpool? spool = null;
        RelayService? service = null;
        var newest = NewestEvent(options.LogDirectory ?? RelayOptions.DefaultLogDirectory(options.DataDirectory));
        try
        {
            spool = await SpoolOf(options).OpenAsync(clock, CancellationToken.None);
            service = new RelayService(options, clock, directory, spool);
            service.TellOfRecovery(spool.Recovery);
            service.server.Start();
            await service.Deliveries.StartAsync(newest, CancellationToken.None);
            service.Tell("started", string.Join(", ", service.Endpoints.Select(static e => $"{e.Listener.Name} {e.Endpoint}")));
            return service;
        }
        catch
        {
            if (service is not null)
            {
                await service.DisposeAsync();
            }
            else
            {
                if (spool is not null)
                    await spool.DisposeAsync();
                directory.Dispose();
            }

            throw;
        }
    }

    /// <summary>
    /// Takes no more mail, lets what is being received finish until <paramref name="ct"/> is cancelled, ends deliveries, and closes what lasts.
    /// </summary>
    public Task StopAsync(CancellationToken ct) => StopAsync(ct, ct);

    /// <summary>
    /// The same; messages that a next hop has whole are waited for, so that no second copy of them goes out, for
    /// <see cref="RelayOptions.StopGrace"/> at most or until <paramref name="hurry"/> is cancelled.
    /// </summary>
    public async Task StopAsync(CancellationToken ct, CancellationToken hurry)
    {
        if (isStopped)
            return;
        isStopped = true;
        Tell("stopping", $"{Connections} connections open, {Spool.Count} messages in the spool");
        // Side by side: who waits in both directions would wait twice as long as a service manager lets him.
        var sending = Deliveries.StopAsync(Options.StopGrace, hurry);
        offer.Dispose();
        await server.StopAsync(ct);
        await server.DisposeAsync();
        await sending;
        await Deliveries.DisposeAsync();
        await Spool.DisposeAsync();
        accounts.Dispose();
        Directory.Dispose();
        Tell("stopped", "clean");
        await audit.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await StopAsync(now.Token);
    }

    /// <summary>When the log was last written to, before this start; null when that cannot be known. Only words depend on it.</summary>
    private static DateTimeOffset? NewestEvent(string logs)
    {
        try
        {
            return new DirectoryInfo(logs).EnumerateFiles().Max(static file => (DateTimeOffset?)file.LastWriteTimeUtc);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static SpoolOptions SpoolOf(RelayOptions options) => options.Spool ?? SpoolOptions.Local(RelayOptions.SpoolDirectory(options.DataDirectory));

    private void TellOfRecovery(SpoolRecovery recovery)
    {
        Tell("spool_opened", $"{recovery.Messages} messages in {recovery.Segments} segments, read in {recovery.Elapsed.TotalSeconds:0.00} s");
        foreach (var tail in recovery.TornTails)
            Tell("spool_torn_tail", tail.Sentence);
        foreach (var damage in recovery.Quarantined)
            Tell("spool_damage", damage.Sentence);
    }

    private void Tell(string what, string detail) => audit.Append(new ServerEvent(clock.GetUtcNow(), what, detail));
}
