using Postern.Hosting.Control;
using Postern.Hosting.Data;
using Postern.Machine;
using Postern.Relay.Accounts.Protection;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Spool.Memory;
using Postern.Smtp.Session;
using Postern.Web;
using Postern.Web.Calls;
using Postern.Web.Documents;
using Postern.Web.Doors;

namespace Postern.Tests.Hosting;

/// <summary>The control socket of a server, without the server: a spool in memory behind it.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly WebPlane plane;
    private readonly ControlServer server;

    private RunningServer(string socket, MemorySpool spool, EventList events, FakeSessions sessions, WebPlane plane, ControlServer server)
    {
        this.plane = plane;
        Socket = socket;
        Spool = spool;
        Events = events;
        Sessions = sessions;
        this.server = server;
    }

    public string Socket { get; }

    public MemorySpool Spool { get; }

    public EventList Events { get; }

    public FakeSessions Sessions { get; }

    public required LoginProtection Protection { get; init; }

    public static async Task<RunningServer> StartAsync(string data, Func<WhatIf, WhatIfAnswer>? explain = null)
    {
        Directory.CreateDirectory(data);
        var (spool, events, sessions) = (new MemorySpool(), new EventList(), new FakeSessions());
        var commands = new QueueCommands(spool, new SpoolQueueControl(spool, TimeProvider.System), events, TimeProvider.System);
        var socket = DataDirectory.ControlSocket(data);
        var protection = new LoginProtection(new LoginProtectionOptions { LongestDelay = TimeSpan.Zero }, events, TimeProvider.System);
        var suspensions = new Suspensions();
        var plane = new WebPlane(new ServedRelay
        {
            Clock = TimeProvider.System,
            Audit = events,
            Status = () => Status(data, spool.Count),
            Queue = new QueueQueries(spool, suspensions: suspensions),
            QueueChanges = commands,
            Destinations = new SuspensionCommands((domains, suspends) => new(suspensions.Change(domains, suspends)), () => suspensions.All, events, TimeProvider.System),
            Sessions = new SessionCommands(sessions, events, TimeProvider.System),
            Reload = static _ => Task.FromResult(new ReloadReport("1f3a9c20", "77ab01de")),
            Explain = (question, _) => Task.FromResult(explain is null ? new WhatIfAnswer { Problem = new("no decisions here", "Ask a whole server.") } : explain(question)),
            Shaping = static (domain, tenant, _) => Task.FromResult(new ShapingReport(domain.Text) { Tenant = tenant, IsServers = true, Now = [new("mx.test:25", "it is slow; that is over", DateTimeOffset.UnixEpoch)] }),
            Logins = new LoginCommands(protection, events, TimeProvider.System),
        });
        return new RunningServer(socket, spool, events, sessions, plane, await ControlServer.StartAsync(socket, plane.Through(new SocketDoor(UserIdentity.Effective)), CancellationToken.None)) { Protection = protection };
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await plane.DisposeAsync();
        await Spool.DisposeAsync();
    }

    private static StatusDocument Status(string data, int messages) => new(
        "0.1.0",
        "mail.example.org",
        TimeProvider.System.GetUtcNow(),
        data,
        [new("submission", "127.0.0.1:2587", "starttls", "tls-only")])
    {
        Connections = 3,
        Load = new("normal", "memory", Value: 0.25, TimesStressed: 1, TimesFull: 0),
        SinceStart = new(Accepted: 5, Refused: 2, Logins: 4, FailedLogins: 1, Delivered: 3, Deferred: 2, Failed: 1),
        Queue = new(messages, Waiting: 0, Active: 0, Held: 0, HeldByServer: 0, Parked: messages, "writable", Reason: null),
        Deliveries = new(Connections: 0, HeldBecause: "there is no route")
        {
            Waits = [new("there.test", 7, "[192.0.2.1]:25 has one connection at most and a pause of 4 s, as it said: 421 4.7.0 Later")],
        },
        Certificate = new("CN=mail.example.org", TimeProvider.System.GetUtcNow().AddDays(30), IsSelfSigned: true),
        EventsDropped = 0,
    };

    /// <summary>Sessions that a test writes down.</summary>
    internal sealed class FakeSessions : ISessionControl
    {
        public List<OpenSession> Open { get; } = [];

        /// <summary>How many a review ends.</summary>
        public int Gone { get; set; }

        public int Reviews { get; private set; }

        public IReadOnlyList<OpenSession> List() => Open;

        public int End(Func<OpenSession, bool> which) => Open.RemoveAll(session => which(session));

        public Task<LoginsReviewed> ReviewAsync(CancellationToken ct)
        {
            Reviews++;
            return Task.FromResult(new LoginsReviewed(Gone, 0));
        }
    }

    /// <summary>Keeps events for assertions.</summary>
    internal sealed class EventList : IAuditLog
    {
        private readonly Lock gate = new();
        private readonly List<AuditEvent> events = [];

        public long Dropped => 0;

        public IReadOnlyList<AuditEvent> All
        {
            get
            {
                lock (gate)
                    return [.. events];
            }
        }

        public void Append(AuditEvent audit)
        {
            lock (gate)
                events.Add(audit);
        }

        public ValueTask FlushAsync(CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
