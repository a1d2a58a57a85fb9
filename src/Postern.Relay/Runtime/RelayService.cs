using System.Net;
using System.Text;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Tls;
using Postern.Relay.Delivery.Tls.Reports;
using Postern.Relay.Delivery.Tls.Sts;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.DovecotAuth;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Counters;
using Postern.Relay.Policy.Suspending;
using Postern.Relay.Policy.Watching;
using Postern.Relay.Runtime.Instruments;
using Postern.Relay.Spool;
using Postern.Smtp;
using Postern.Smtp.Grammar;
using Postern.Smtp.Overload;
using Postern.Smtp.Transport;

namespace Postern.Relay.Runtime;

/// <summary>
/// The running relay: what lasts (<see cref="RelayFoundation"/>), what the configuration says of it (<see cref="RelaySnapshot"/>), what
/// listens and what delivers. Opening may throw <see cref="DirectoryUnavailableException"/>, <see cref="SpoolUnavailableException"/> or
/// <see cref="ListenException"/>; each message says what to do.
/// </summary>
public sealed class RelayService : IAsyncDisposable
{
    /// <summary>The listener of messages of this machine's own users, as rules, routes and the log have it.</summary>
    public const string LocalListener = LocalSubmission.Listener;

    /// <summary>So long a part may get no further before it counts as stuck.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(60);

    private readonly RelayFoundation foundation;
    private readonly SmtpServer server;
    private readonly LocalSubmission local;
    private readonly AuthServer authentication;
    private readonly RetiredSnapshots retired;
    private readonly TlsUpkeep upkeep;
    private readonly SemaphoreSlim changing = new(1);
    private readonly DkimRotation rotation;
    private readonly LimitLetters letters;
    private readonly SpoolGauge spoolGauge;
    private OfferWatch offer;
    private volatile bool isListening;
    private volatile bool isBound;
    private volatile bool isStopped;

    private RelayService(RelayFoundation foundation, RelaySnapshot snapshot)
    {
        this.foundation = foundation;
        Snapshot = snapshot;
        var (options, spool, clock) = (snapshot.Options, foundation.Spool, foundation.Clock);
        spoolGauge = new SpoolGauge(spool);
        var counts = new TlsCounts(RelayOptions.TlsReportsDirectory(options.DataDirectory), clock, Audit);
        var smtp = new SmtpDelivery(
            options.Delivery with { Instruments = foundation.Instruments.Delivery },
            clock,
            () => [.. server!.Endpoints.Select(static e => e.Endpoint)],
            new StsCache(RelayOptions.MtaStsDirectory(options.DataDirectory), clock, Audit),
            counts,
            foundation.Counters,
            (grant, words) => _ = Deliveries!.TellPostmasterAsync(
                "oauth_refused",
                $"Mail as {grant.Account} waits: its login is refused",
                $"{grant.TokenUrl.Host} gives no access token for {grant.Account} any more:",
                words,
                string.Empty,
                "Mail on this route waits until that is mended, and is returned when its time is over.",
                grant.DeviceUrl is null
                    ? "Look at the login of the route in postern.yaml: postern check"
                    : $"To allow it again: postern oauth login {grant.Account}"));
        upkeep = new TlsUpkeep(smtp, counts, new TlsReporter(counts, spool, Audit, clock), foundation.Tell, clock);
        Deliveries = new DeliveryScheduler(
            spool,
            smtp,
            DeliveryOf(options),
            Audit,
            clock)
        {
            Suspensions = Suspensions.Open(RelayOptions.SuspensionsFile(foundation.DataDirectory)),
            Keeper = foundation.Content,
            Traces = RelayOptions.TraceFiles(foundation.DataDirectory),
        };
        foundation.Instruments.Watch(
            spool,
            Deliveries,
            foundation.Accounts.Hashing,
            foundation.Accounts.Protection,
            foundation.Accounts.Suspended,
            foundation.Audit);
        rotation = new DkimRotation(foundation.Directory, Audit, clock, options.Dkim, options.Delivery);
        server = new SmtpServer(ServerOf(snapshot));
        local = new LocalSubmission(LocalServerOf(snapshot), snapshot.DirectoryOf, Deliveries);
        authentication = new AuthServer(new AuthEvents(Audit, clock), clock);
        offer = new OfferWatch(server, snapshot, Audit, clock);
        retired = new RetiredSnapshots(server, clock);
        Deliveries.OnHardBounce = Note;
        if (Watch is { } watch)
            watch.OnStep = Tell;
        foundation.Instruments.Watch(this);
        letters = new LimitLetters(
            foundation.Live, () => Snapshot.Options.Policy.Limits, FindAddressAsync, Deliveries.TellAsync, clock);
    }

    /// <summary>What the configuration says now.</summary>
    public RelaySnapshot Snapshot { get; private set; }

    /// <summary>Snapshots that are kept for sessions which began with them.</summary>
    public int RetiredSnapshots => retired.Count;

    public SqliteDirectory Directory => foundation.Directory;

    public ISpool Spool => foundation.Spool;

    public RelayPolicy Policy => Snapshot.Policy;

    /// <summary>What the rules have counted.</summary>
    public ICounters Counters => foundation.Counters;

    public DeliveryScheduler Deliveries { get; }

    /// <summary>The way in for users whom the system has named.</summary>
    public ILocalIntake Local => local;

    /// <summary>Client sessions, for operators.</summary>
    public ISessionControl Sessions => new ServerSessions(server);

    public IAuditLog Audit => foundation.Audit;

    /// <summary>Where passwords are hashed.</summary>
    public HashingPool Hashing => foundation.Accounts.Hashing;

    /// <summary>How many guesses are checked.</summary>
    public LoginProtection Protection => foundation.Accounts.Protection;

    /// <summary>How often a password was asked about since start, and how often it was remembered as right.</summary>
    public (long Asked, long Recalled) PasswordMemory => foundation.Accounts.Memory.Counts;

    /// <summary>Who logs in and sends nothing.</summary>
    public SuspendedSenders Suspended => foundation.Accounts.Suspended;

    /// <summary>What logins do otherwise.</summary>
    public LoginWatch? Watch => foundation.Accounts.Watch;

    public RelayTotals Totals => foundation.Totals;

    /// <summary>Messages whose content is kept after the end of their delivery, and the octets of their files.</summary>
    public (int Messages, long Octets) KeptContent => foundation.Content.Count;

    /// <summary>Events as they happen, for whoever watches.</summary>
    public EventHub Live => foundation.Live;

    /// <summary>What each listener is bound to, with the real port numbers.</summary>
    public IReadOnlyList<(SmtpListenerOptions Listener, IPEndPoint Endpoint)> Endpoints => server.Endpoints;

    /// <summary>Where other servers have logins checked.</summary>
    public IReadOnlyList<AuthEndpoint> AuthEndpoints => authentication.Endpoints;

    /// <summary>Client connections open now.</summary>
    public int Connections => server.Connections;

    /// <summary>The scope of the meters that measure this relay: <c>Postern.Smtp</c> and <c>Postern.Relay</c>.</summary>
    public RelayMeters Meters => foundation.Meters;

    /// <summary>Accepted messages are counted by tenant too.</summary>
    public bool CountsTenants
    {
        set => foundation.Instruments.Mail.CountsTenants = value;
    }

    /// <summary>How it is, by what its parts know of themselves.</summary>
    public RelayHealth Health => new(
        [
            .. If(isListening && !isStopped && !server.IsAccepting, "listeners"),
            .. If(Spool.CommitTime >= LongestSilence, "spool"),
            .. If(!Deliveries.Progresses(LongestSilence), "deliveries"),
        ],
        [
            .. If(isStopped, "stopping"),
            .. If(!isBound, "starting"),
            .. If(spoolGauge.Condition == SpoolCondition.Full, "spool full"),
            .. If(spoolGauge.Condition == SpoolCondition.Failed, "spool failed"),
            .. If(!Directory.IsReadable, "directory"),
            .. If(Load.State == LoadState.Full, "load full"),
        ],
        [
            .. Snapshot.Accounts.KindsDown.Select(static kind => $"store {kind}"),
            .. If(Load.State == LoadState.Stressed, "load stressed"),
            .. If(Deliveries.Routes.Holds, "no route"),
            .. If(Spool.Tally.HeldByServer > 0, "messages held by the server"),
            .. If(!Spool.Recovery.Quarantined.IsEmpty, "damage in the spool"),
            .. If(
                Snapshot.Options.Tls is { Certificate: var shown }
                    && shown.NotAfter.ToUniversalTime() <= foundation.Clock.GetUtcNow().UtcDateTime,
                "certificate ended"),
        ]);

    /// <summary>The fullest of the gauges.</summary>
    public LoadReport Load => server.LoadReport;

    /// <summary>Opens everything, accepts mail and begins to deliver.</summary>
    public static Task<RelayService> StartAsync(RelayOptions options, TimeProvider clock) =>
        StartAsync(options, id: null, files: null, clock);

    /// <param name="id">
    /// Answers with the id of the configuration, given a key that only this server has; null where the options have one.
    /// </param>
    /// <param name="files">
    /// As with <see cref="RelaySnapshot.Compile"/>; disposed with the snapshot; disposing it twice must do no harm.
    /// </param>
    /// <inheritdoc cref="StartAsync(RelayOptions, TimeProvider)"/>
    public static async Task<RelayService> StartAsync(
        RelayOptions options, Func<ReadOnlyMemory<byte>, string>? id, IDisposable? files, TimeProvider clock)
    {
        var newest = NewestEvent(options.LogDirectory ?? RelayOptions.DefaultLogDirectory(options.DataDirectory));
        var lasting = await RelayFoundation.OpenAsync(options, clock);
        RelaySnapshot? snapshot = null;
        RelayService? service = null;
        try
        {
            snapshot = RelaySnapshot.Compile(
                id is null ? options : options with { Id = id(lasting.Directory.DecoyKey) }, lasting.Accounts, lasting.Counters, files);
            service = new RelayService(lasting, snapshot);
            service.TellOfRecovery(lasting.Spool.Recovery);
            if (await EventRecovery.RunAsync(
                lasting.Spool,
                lasting.Audit.Options.Directory,
                lasting.Audit,
                clock,
                CancellationToken.None,
                lasting.Content,
                options.Delivery.Bounces) is > 0 and var again)
                lasting.Tell(
                    "events_again", $"{again} events about messages were not in the log after the last end, and are written again");
            using (var sockets = service.authentication.Prepare(snapshot.AuthServices))
            {
                service.Listen(snapshot);
                sockets.Commit();
                service.isBound = true;
            }

            service.rotation.Start();
            await service.Deliveries.StartAsync(newest, CancellationToken.None);
            service.upkeep.Start();
            service.letters.Start();
            lasting.Tell(
                "started",
                string.Join(
                    ", ",
                    [
                        .. service.Endpoints.Select(static e => $"{e.Listener.Name} {e.Endpoint}"),
                        .. service.AuthEndpoints.Select(static e => $"{e.Listener.Name} {e.Place}"),
                    ]));
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
                snapshot?.Dispose();
                await lasting.DisposeAsync();
            }

            throw;
        }
    }

    /// <summary>
    /// Goes on by another configuration, as one step: either all of it counts, or nothing has changed. Sockets, connections to next hops
    /// and messages that wait stay where they are still wanted; sessions that are open keep what they began with, and lose their login when
    /// it is gone.
    /// </summary>
    /// <param name="options">With the data directory of before.</param>
    /// <param name="files">
    /// As with <see cref="RelaySnapshot.Compile"/>; disposed with the snapshot; disposing it twice must do no harm.
    /// </param>
    /// <returns>What became of the endpoints, and of the places where other servers have logins checked.</returns>
    /// <exception cref="ArgumentException">The options hold mistakes; the message lists them, and nothing has changed.</exception>
    /// <exception cref="ListenException">A new endpoint cannot be bound; nothing has changed.</exception>
    /// <exception cref="InvalidOperationException">The relay has been stopped.</exception>
    public async Task<(AppliedListeners Listeners, AppliedAuthPlaces Authentication)> ApplyAsync(
        RelayOptions options, IDisposable? files, CancellationToken ct)
    {
        if (options.DataDirectory != foundation.DataDirectory)
            throw new ArgumentException($"the data directory of a running relay stays: {foundation.DataDirectory}", nameof(options));
        await changing.WaitAsync(ct);
        try
        {
            ObjectDisposedException.ThrowIf(isStopped, this);
            var next = RelaySnapshot.Compile(options, foundation.Accounts, foundation.Counters, files);
            AppliedListeners listeners;
            AppliedAuthPlaces places;
            try
            {
                using var sockets = authentication.Prepare(next.AuthServices);
                listeners = Listen(next);
                places = sockets.Commit();
            }
            catch
            {
                next.Accounts.Dispose();
                throw;
            }

            var old = Snapshot;
            offer.Dispose();
            offer = new OfferWatch(server, next, Audit, foundation.Clock);
            local.Apply(LocalServerOf(next), next.DirectoryOf);
            Deliveries.Apply(DeliveryOf(options));
            rotation.Apply(options.Dkim, options.Delivery);
            foundation.Apply(options);
            retired.Add(old);
            retired.FollowedBy(next);
            Snapshot = next;
            return (listeners, places);
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>
    /// Takes no more mail, lets what is being received finish until <paramref name="ct"/> is cancelled, ends deliveries, and closes what
    /// lasts.
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
        await changing.WaitAsync(CancellationToken.None);
        changing.Release();
        foundation.Tell("stopping", $"{Connections} connections open, {Spool.Count} messages in the spool");
        // Side by side: who waits in both directions would wait twice as long as a service manager lets him.
        var sending = Deliveries.StopAsync(Snapshot.Options.StopGrace, hurry);
        offer.Dispose();
        var asking = authentication.StopAsync(ct);
        await server.StopAsync(ct);
        await server.DisposeAsync();
        await asking;
        await authentication.DisposeAsync();
        await local.DisposeAsync();
        await sending;
        await upkeep.DisposeAsync();
        await letters.DisposeAsync();
        await Deliveries.DisposeAsync();
        await rotation.DisposeAsync();
        retired.Dispose();
        Snapshot.Dispose();
        await foundation.CloseAsync();
        foundation.Tell("stopped", "clean");
        await foundation.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await StopAsync(now.Token);
    }

    private static ReadOnlySpan<string> If(bool holds, string word) => holds ? new[] { word } : [];

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

    /// <summary>Where a user reads mail: the name, where that is an address, or the first that the account may send as.</summary>
    private async ValueTask<Mailbox?> FindAddressAsync(string name, CancellationToken ct)
    {
        try
        {
            if (!Mailbox.TryParse(name, out var address)
                && !Mailbox.TryParse(
                    (await Snapshot.Accounts.Directory.FindAccountAsync(name, ct))?.Addresses.FirstOrDefault(), out address))
                return null;
            return Ascii.IsValid(address.Address) ? address : null;
        }
        catch (DirectoryUnavailableException)
        {
            return null;
        }
    }

    /// <summary>A recipient does not exist: it may be suppressed, and it counts as one that failed.</summary>
    private void Note(HardBounce bounce)
    {
        foundation.Suppressions.Note(bounce);
        if (bounce.Envelope is not { } envelope)
            return;
        var facts = new EnvelopeFacts
        {
            Listener = envelope.Listener ?? string.Empty,
            Client = envelope.Client ?? IPAddress.None,
            Login = envelope.Login,
            Tenant = envelope.Tenant,
        };
        _ = Policy.OnBounceAsync(facts, envelope.Sender, bounce.Recipient, CancellationToken.None).AsTask();
    }

    /// <summary>The postmaster hears of each step that is taken with a login, in the log and by mail.</summary>
    private void Tell(WatchNotice notice)
    {
        var what = notice.Step switch
        {
            WatchStep.Suspend => "is suspended",
            WatchStep.Hold => "has its messages held",
            _ => "is slowed",
        };
        _ = Deliveries.TellPostmasterAsync(
            "login_watched",
            $"The login {notice.Login} {what}: it sends unlike itself",
            $"{notice.Login} {what}, score {notice.Score.Points}, client {notice.Client}: {notice.Score}",
            string.Empty,
            "If its user did that: postern logins forgive " + notice.Login,
            "If somebody else did: change its password, and look at what is held: postern queue list --held");
    }

    private void TellOfRecovery(SpoolRecovery recovery)
    {
        foundation.Tell(
            "spool_opened",
            $"{recovery.Messages} messages in {recovery.Segments} segments, read in {recovery.Elapsed.TotalSeconds:0.00} s");
        foreach (var tail in recovery.TornTails)
            foundation.Tell("spool_torn_tail", tail.Sentence);
        foreach (var damage in recovery.Quarantined)
            foundation.Tell("spool_damage", damage.Sentence);
    }

    /// <summary>Goes on with these listeners. A server without any, which other servers alone ask, listens once it has one.</summary>
    private AppliedListeners Listen(RelaySnapshot next)
    {
        var applied = next == Snapshot ? new AppliedListeners([], [], [], []) : server.Apply(ServerOf(next));
        if (isListening || next.Options.Listeners.Count == 0)
            return applied;
        try
        {
            server.Start();
        }
        catch (ListenException) when (next != Snapshot)
        {
            server.Apply(ServerOf(Snapshot));
            throw;
        }

        isListening = true;
        return applied with { Added = [.. server.Endpoints.Select(static e => new AppliedEndpoint(e.Listener.Name, e.Endpoint, 0))] };
    }

    /// <summary>What is delivered is signed behind whatever else stands above it, and sealed behind that.</summary>
    private DeliveryOptions DeliveryOf(RelayOptions options) =>
        options.Delivery with
        {
            Decorators = [.. options.Delivery.Decorators, foundation.Signer, foundation.Sealer],
            Directory = foundation.Directory,
            Instruments = foundation.Instruments.Delivery,
        };

    /// <summary>The server's options, with what only a running relay has.</summary>
    private SmtpServerOptions ServerOf(RelaySnapshot snapshot)
    {
        var (options, spool, clock) = (snapshot.Options, foundation.Spool, foundation.Clock);
        return snapshot.Server with
        {
            QueueStarter = options.EtrnDomains.Count == 0 ? null : new EtrnDomains(options.EtrnDomains, Deliveries, clock),
            Store = new SubmissionStore(
                spool,
                Audit,
                clock,
                snapshot.DirectoryOf,
                options.Delivery.Routes.CanRequireTls || (!options.Delivery.Routes.Holds && options.Delivery.Tls.CanProve),
                snapshot.Policy,
                options.TracesSenders)
            {
                Keep = options.Keep,
                Held = Deliveries.Held,
                Instruments = foundation.Instruments.Mail,
                KeepsClient = options.Delivery.Routes.ForwardsClients,
            },
            Events = new RelayEvents(Audit, clock, Counters.Windows),
            Meters = foundation.Meters,
            Gauges = [new HashingGauge(foundation.Accounts.Hashing), new CommitGauge(spool), spoolGauge],
        };
    }

    /// <summary>What takes messages of this machine's own users; they see nobody's certificate and wait behind nobody.</summary>
    private SmtpServerOptions LocalServerOf(RelaySnapshot snapshot)
    {
        var options = snapshot.Options;
        return new SmtpServerOptions
        {
            Hostname = options.Hostname,
            Policy = snapshot.LocalPolicy,
            Limits = options.Limits,
            MaxMemory = options.MaxMemory,
            Clock = foundation.Clock,
            Store = new SubmissionStore(
                foundation.Spool,
                Audit,
                foundation.Clock,
                options.Local.Sender.IsEmpty ? null : snapshot.DirectoryOf,
                canRequireTls: false,
                snapshot.LocalPolicy,
                options.TracesSenders)
            {
                Keep = options.Keep,
                Held = Deliveries.Held,
                Instruments = foundation.Instruments.Mail,
                KeepsClient = options.Delivery.Routes.ForwardsClients,
            },
            Events = new LocalEvents(new RelayEvents(Audit, foundation.Clock, Counters.Windows)),
        };
    }
}
