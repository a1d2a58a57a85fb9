using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Memory;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;
using Postern.Web.Pages;
using Postern.Web.Parts;
using Postern.Web.Tests.Documents;
using Postern.Web.Traffic;

namespace Postern.Web.Tests.Pages;

/// <summary>The pages of a server: a queue in memory, a log on disk, and whoever the test says is signed in.</summary>
internal sealed class ServedPages : IAsyncDisposable
{
    private readonly PageRenderer renderer = new();
    private readonly KeptEvents audit = new();
    private readonly WebApplication application;
    private readonly HttpClientHandler handler = new() { AllowAutoRedirect = false, UseCookies = false };

    private ServedPages(WebApplication application) => this.application = application;

    public EventLog Log { get; } = new();

    public MemorySpool Spool { get; } = new();

    /// <summary>Who looks.</summary>
    public Caller Caller { get; set; } = new("anna", Role.Operator.Scopes, AdminDoor.Console);

    public WhatIf? Asked { get; private set; }

    public WhatIfAnswer Answer { get; set; } = new() { Problem = new("no decisions here", "Ask a whole server.") };

    public HttpClient Client => field ??= new HttpClient(handler) { BaseAddress = new Uri(application.Urls.First()) };

    /// <summary>What was written down.</summary>
    public IReadOnlyCollection<AuditEvent> Told => audit.All;

    /// <summary>Every page there is.</summary>
    public PageRoutes Routes { get; private set; } = null!;

    public static async Task<ServedPages> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var served = new ServedPages(builder.Build());
        var server = served.Serve();
        served.Routes = new PageRoutes(WebRoutes.All, served.renderer, new MinuteCounts(TimeProvider.System));
        var door = new PageDoor(
            _ => new(served.Caller),
            static (_, _, form) => form["__token"] == "good" ? null : "the form has no token of ours",
            static (_, _) => new FormToken("__token", "good"));
        PageEndpoints.Map(served.application, served.Routes, context => new PageExchange(context, door, server, served.Routes, "req_1"));
        await served.application.StartAsync(TestContext.Current.CancellationToken);
        return served;
    }

    /// <summary>Puts a message into the queue.</summary>
    public async Task<string> QueueAsync(string to, string? tenant = null, string sender = "app@example.org")
    {
        var id = QueueId.New(TimeProvider.System);
        await using var draft = Spool.CreateDraft();
        await draft.AppendAsync("Subject: x\r\n\r\nx\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        var now = TimeProvider.System.GetUtcNow();
        var envelope = new Envelope
        {
            Id = id, ArrivedAt = now, Said = new SmtpEnvelope(new ReversePath(Mailbox.Parse(sender)), [Mailbox.Parse(to)]), Tenant = tenant, Client = IPAddress.Loopback,
        };
        Assert.IsType<SpoolCommit.Durable>(await draft.CommitAsync(
            envelope, DeliveryState.Fresh(1, now), TestContext.Current.CancellationToken));
        return id.ToString();
    }

    public async Task<(HttpStatusCode Status, string? Location, string Html)> GetAsync(string url)
    {
        using var response = await Client.GetAsync(url, TestContext.Current.CancellationToken);
        return (response.StatusCode, response.Headers.Location?.ToString(), await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <param name="site">Where the form stood, as a browser says it; null where it says nothing.</param>
    public async Task<HttpResponseMessage> PostAsync(string url, string? site, params IEnumerable<(string Name, string Value)> fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new FormUrlEncodedContent(fields.Select(static f => KeyValuePair.Create(f.Name, f.Value))),
        };
        if (site is not null)
            request.Headers.Add("Sec-Fetch-Site", site);
        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        handler.Dispose();
        await application.DisposeAsync();
        await renderer.DisposeAsync();
        await Spool.DisposeAsync();
        Log.Dispose();
    }

    private ServedRelay Serve()
    {
        var suspensions = new Suspensions();
        return new ServedRelay
        {
            Clock = TimeProvider.System,
            Audit = audit,
            Logs = Log.Path,
            Status = Status,
            Queue = new QueueQueries(Spool, suspensions: suspensions),
            QueueChanges = new QueueCommands(
                Spool, new SpoolQueueControl(Spool, TimeProvider.System), audit, TimeProvider.System),
            Destinations = new SuspensionCommands(
                (domains, suspends) => new(suspensions.Change(domains, suspends)), () => suspensions.All, audit, TimeProvider.System),
            Sessions = null!,
            Reload = static _ => throw new InvalidOperationException("no page reloads"),
            Explain = (question, _) =>
            {
                Asked = question;
                return Task.FromResult(Answer);
            },
            Shaping = static (_, _, _) => throw new InvalidOperationException("no page asks that"),
        };
    }

    private StatusDocument Status() => new(
        "0.1.0", "mail.example.org", TimeProvider.System.GetUtcNow(), "/var/lib/postern", [new("submission", "127.0.0.1:2587", "starttls", "tls-only")])
    {
        Connections = 3,
        Load = new("normal", "memory", Value: 0.25, TimesStressed: 1, TimesFull: 0),
        SinceStart = new(Accepted: 5, Refused: 2, Logins: 4, FailedLogins: 1, Delivered: 3, Deferred: 2, Failed: 1),
        Queue = new(Spool.Count, Waiting: 0, Active: 0, Held: 0, HeldByServer: 0, Parked: 0, "writable", Reason: null),
        Deliveries = new(Connections: 0, HeldBecause: null),
        Certificate = new("CN=mail.example.org", TimeProvider.System.GetUtcNow().AddDays(4.5), IsSelfSigned: false),
        EventsDropped = 0,
    };

    private sealed class KeptEvents : IAuditLog
    {
        public ConcurrentQueue<AuditEvent> All { get; } = new();

        public long Dropped => 0;

        public void Append(AuditEvent audit) => All.Enqueue(audit);

        public ValueTask FlushAsync(CancellationToken ct) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
