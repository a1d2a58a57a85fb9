using System.Collections.Immutable;
using System.Net;
using System.Reflection;
using Postern.Configuration;
using Postern.Configuration.Devices;
using Postern.Hosting.Control;
using Postern.Hosting.Data;
using Postern.Hosting.Drop;
using Postern.Hosting.Live;
using Postern.Machine;
using Postern.Relay.Admin;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Admin.Limits;
using Postern.Relay.Admin.Senders;
using Postern.Relay.Audit.Events;
using Postern.Relay.Runtime;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Kept;
using Postern.Smtp.Transport;
using Postern.Web;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;
using Postern.Web.Doors;
using Postern.Web.Metrics;

namespace Postern.Hosting;

/// <summary>A running server: the relay, and the ways in for operators beside it.</summary>
internal sealed class ServerHost : IAsyncDisposable
{
    private readonly TimeProvider clock;
    private readonly DateTimeOffset startedAt;
    private ControlServer? control;
    private WebPlane? plane;
    private ConsolePlane? console;
    private DropPickup? pickup;
    private MetricsPlane? metrics;
    private TlsBindings? bindings;

    private ServerHost(RelayService relay, LiveConfiguration live, TimeProvider clock)
    {
        this.clock = clock;
        startedAt = clock.GetUtcNow();
        Relay = relay;
        Live = live;
    }

    public RelayService Relay { get; }

    /// <summary>Where metrics and health are, with the real port; null where nowhere.</summary>
    public IPEndPoint? MetricsEndpoint => metrics?.Endpoint;

    /// <summary>What it goes by, and the way to another configuration.</summary>
    public LiveConfiguration Live { get; }

    /// <summary>Accepts mail first, then opens the control socket.</summary>
    /// <param name="compiled">The host's own from here on; the caller's again where this throws.</param>
    /// <param name="asked">The file, as the operator named it; null for the usual places.</param>
    /// <param name="events">Takes every line of the log as well; null for nobody.</param>
    /// <param name="note">Takes each line for people.</param>
    public static async Task<ServerHost> StartAsync(
        Compiled compiled, string? asked, Stream? events, Action<string> note, TimeProvider clock, CancellationToken ct)
    {
        var configuration = compiled.Configuration;
        var relay = await RelayService.StartAsync(compiled.ToRelay(events), key => Compilation.IdOf(compiled, key.Span), compiled, clock);
        var host = new ServerHost(relay, new LiveConfiguration(asked, compiled, relay, note, clock), clock);
        try
        {
            host.bindings = compiled.Tls is null ? null : await TlsBindings.OfThisMachineAsync();
            var kept = new KeptCommands(
                new KeptFolder(RelayOptions.KeptDirectory(configuration.Server.Data)), relay.Audit, clock);
            var served = new ServedRelay
            {
                Clock = clock,
                Audit = relay.Audit,
                Logs = configuration.LogsDirectory,
                Tell = host.Tell,
                Live = relay.Live,
                Status = host.Status,
                Queue = new QueueQueries(
                    relay.Spool,
                    () => relay.Deliveries.Routes.Holds,
                    relay.Deliveries.Suspensions,
                    () => relay.Snapshot.Options.Delivery.Bounces,
                    relay.Deliveries.WaitsFor),
                QueueChanges = new QueueCommands(
                    relay.Spool, new SchedulerQueueControl(relay.Deliveries, relay.Spool), relay.Audit, clock),
                Destinations = new SuspensionCommands(
                    relay.Deliveries.SuspendAsync, () => relay.Deliveries.Suspensions.All, relay.Audit, clock),
                Sessions = new SessionCommands(relay.Sessions, relay.Audit, clock),
                Reload = host.ReloadAsync,
                Explain = host.ExplainAsync,
                Shaping = relay.Deliveries.ExplainShapingAsync,
                Logins = new LoginCommands(relay.Protection, relay.Audit, clock),
                Limits = new LimitCommands(
                    relay.Counters.Windows, () => relay.Snapshot.Options.Policy.Limits, relay.Audit, clock),
                Watch = relay.Watch is { } watch ? new WatchCommands(watch, relay.Audit, clock) : null,
                Suspended = new SuspendCommands(relay.Suspended, () => relay.Snapshot.Accounts.Directory, relay.Audit, clock),
                Directory = relay.Directory,
                AskStores = host.AskStoresAsync,
                Resend = (id, to, onlyFailed, by) =>
                    kept.ResendAsync(id, to, onlyFailed, relay.Spool, by, CancellationToken.None),
            };
            host.plane = new WebPlane(served);
            host.control = await ControlServer.StartAsync(
                DataDirectory.ControlSocket(configuration.Server.Data),
                host.plane.Through(new SocketDoor(UserIdentity.Effective)),
                ct);
            host.pickup = host.TakeUpDropped();
            host.console = new ConsolePlane(
                served,
                () => WebAccess.Open(relay.Directory, relay.Hashing, relay.Audit, clock),
                configuration.Server.Hostname.Text);
            await host.ApplyConsoleAsync(configuration, ct);
            host.metrics = new MetricsPlane(relay, Version(), host.TellOfMetrics);
            host.Live.WhenApplied = host.ApplyBesideAsync;
            await host.metrics.ApplyAsync(configuration.Metrics.ToOptions(), ct);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    public StatusDocument Status()
    {
        var (configuration, tls) = (Live.Compiled.Configuration, Live.Compiled.Tls);
        var deliveries = Relay.Deliveries.Statistics();
        var spool = Relay.Spool.Status;
        var load = Relay.Load;
        return new StatusDocument(
            Version(),
            configuration.Server.Hostname.Text,
            startedAt,
            configuration.Server.Data,
            [
                .. Relay.Endpoints.Select(
                    static e => new StatusDocument.Listener(
                        e.Listener.Name, e.Endpoint.ToString(), ListenerText.Word(e.Listener.Tls), ListenerText.Word(e.Listener.Auth))),
                .. Relay.AuthEndpoints.Select(static e => new StatusDocument.Listener(
                    e.Listener.Name,
                    e.Place.ToString(),
                    ListenerText.Word(TlsMode.None),
                    ListenerText.Word(e.Listener.TakesSecretsInClear ? AuthMode.Always : AuthMode.TlsOnly))
                {
                    Protocol = AuthServiceOptions.Word,
                    Connections = e.Connections,
                }),
            ])
        {
            Devices = DeviceText.DocumentsOf(configuration),
            Connections = Relay.Connections,
            Load = new(LoadWord.Of(load.State), load.Gauge, load.Value, load.TimesStressed, load.TimesFull),
            SinceStart = new(
                Relay.Totals.Accepted,
                Relay.Totals.Refused,
                Relay.Totals.Logins,
                Relay.Totals.FailedLogins,
                Relay.Totals.Delivered,
                Relay.Totals.Deferred,
                Relay.Totals.Failed,
                Relay.Totals.Unreported),
            Queue = new(
                Relay.Spool.Count,
                deliveries.Waiting,
                deliveries.Active,
                deliveries.Held,
                deliveries.HeldByServer,
                deliveries.Parked,
                Word(spool.Condition),
                spool.Reason)
            {
                Damage = [.. Relay.Spool.Recovery.Quarantined.Take(StatusDocument.QueueState.MostDamage).Select(static d => d.Sentence)],
                DamageCount = Relay.Spool.Recovery.Quarantined.Length,
            },
            Deliveries = new(
                deliveries.Destinations.Sum(static d => d.Connections),
                configuration.Delivery.Routes.IsEmpty ? "there is no route; set delivery.routes" : null)
            {
                Routes = [.. configuration.Delivery.Routes.Select(static r => new StatusDocument.Route(r.Route.Name, r.Destination))],
                Waits =
                [
                    .. deliveries.Destinations.Where(static d => d.WaitsFor is not null).Take(StatusDocument.DeliveryState.MostWaits)
                        .Select(static d => new StatusDocument.WaitingDestination(d.Name, d.Waiting, d.WaitsFor!)),
                ],
            },
            Certificate = tls is { Certificate: var certificate }
                ? new(certificate.Subject, certificate.NotAfter.ToUniversalTime(), configuration.Tls.CertificateFile is null)
                : null,
            Kept = Relay.KeptContent is { Messages: > 0 } kept ? new(kept.Messages, kept.Octets, configuration.Keep.Most) : null,
            EventsDropped = Relay.Audit.Dropped,
            Configuration = new(
                Relay.Snapshot.Id, configuration.Source, Live.AppliedAt, [.. Live.Problems.Select(static p => p.ToString())]),
            LoginProtection = Relay.Protection.Counts,
            Stores = Relay.Snapshot.Accounts.Conditions,
            Trials = Relay.Policy.Trials.Counts,
            Passwords = new(Relay.PasswordMemory.Asked, Relay.PasswordMemory.Recalled),
            ChannelBinding = bindings is null ? null : BindingText.Describe(bindings),
        };
    }

    /// <summary>What its stores say of a user, with what it remembers of him.</summary>
    /// <param name="listener">That asks some of them only; null for all.</param>
    private async ValueTask<ImmutableArray<StoreWordDocument>> AskStoresAsync(string user, string? listener, CancellationToken ct)
    {
        var accounts = Relay.Snapshot.Accounts;
        var verifiers = listener is null ? accounts.Verifiers : accounts.On(listener).Verifiers;
        return StoreWordDocument.Of(await verifiers.Descriptions.VisitAsync(user, ct));
    }

    /// <summary>What it would decide, by what it runs by now.</summary>
    public async Task<WhatIfAnswer> ExplainAsync(WhatIf question, CancellationToken ct)
    {
        var (snapshot, source, file) = (Relay.Snapshot, Live.Compiled.Configuration.Source, Live.Compiled.Configuration.File);
        var answer = await question.AnswerAsync(snapshot, ct);
        return answer with
        {
            Configuration = new(snapshot.Id, source)
            {
                IsServers = true,
                File = file is null ? null : Path.GetFullPath(file),
                Differs = await Live.WhyNotTheFileAsync(),
            },
        };
    }

    /// <summary>
    /// Takes no more mail and lets what is being received finish until <paramref name="ct"/> is cancelled, and what is being sent until
    /// <paramref name="hurry"/> is.
    /// </summary>
    public async Task StopAsync(CancellationToken ct, CancellationToken hurry)
    {
        if (control is not null)
            await control.DisposeAsync();
        control = null;
        if (console is not null)
            await console.DisposeAsync();
        console = null;
        if (plane is not null)
            await plane.DisposeAsync();
        plane = null;
        if (pickup is not null)
            await pickup.DisposeAsync();
        pickup = null;
        await Live.DisposeAsync();
        await Relay.StopAsync(ct, hurry);
        // Last: until then whoever watches is told that the server stops.
        if (metrics is not null)
            await metrics.DisposeAsync();
        metrics = null;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await StopAsync(now.Token, now.Token);
    }

    private void TellOfMetrics(string what, string detail) =>
        Relay.Audit.Append(new ServerEvent(clock.GetUtcNow(), what, detail));

    /// <summary>What stands beside the relay goes on by a configuration that was taken.</summary>
    private async Task ApplyBesideAsync(PosternConfiguration changed)
    {
        if (metrics is { } measured)
            await measured.ApplyAsync(changed.Metrics.ToOptions(), CancellationToken.None);
        await ApplyConsoleAsync(changed, CancellationToken.None);
    }

    /// <summary>A server that is being stopped has none any more.</summary>
    private Task ApplyConsoleAsync(PosternConfiguration configuration, CancellationToken ct) => console?.ApplyAsync(
        configuration.Web.ToOptions(Live.Compiled.Tls),
        configuration.Web.AddressFor(configuration.Server.Hostname.Text) ?? string.Empty,
        ct) ?? Task.CompletedTask;

    private DropPickup TakeUpDropped() => new(
        () => Live.Compiled.Configuration, new DropIntake(() => Live.Compiled.Configuration, Relay.Local, Tell, clock), Tell, clock);

    private void Tell(string what, string detail) => Relay.Audit.Append(new ServerEvent(clock.GetUtcNow(), what, detail)
    {
        Cause = new AuditCause(AuditKind.Server, IPAddress.Loopback, Login: null, what),
    });

    /// <summary>That an operator had a changed configuration taken is written down with who it was.</summary>
    private async Task<ReloadReport> ReloadAsync(Operator by)
    {
        var report = await Live.ReloadAsync(CancellationToken.None);
        if (report.Errors.IsEmpty && report.Before != report.After)
            Relay.Audit.Append(by.Did(clock.GetUtcNow(), "reload", report.Source, new AdminChange("config", report.Before, report.After)));
        return report;
    }

    private static string Version() => Assembly.GetExecutingAssembly().GetName().Version?.ToString(3) ?? "0";

    private static string Word(SpoolCondition condition) => condition switch
    {
        SpoolCondition.Writable => "writable",
        SpoolCondition.Full => "full",
        _ => "failed",
    };
}
