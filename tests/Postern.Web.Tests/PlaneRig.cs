using System.Net;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Delivery;
using Postern.Relay.Spool.Memory;
using Postern.Smtp.Session;
using Postern.Testing;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;
using Postern.Web.Doors;

namespace Postern.Web.Tests;

/// <summary>The table of routes over a queue in memory, asked without a wire by whomever the test says.</summary>
internal sealed class PlaneRig : IAsyncDisposable
{
    private readonly WebPlane plane;
    private readonly IHttpApplication<HttpContext> application;

    public PlaneRig(Door? door = null)
    {
        plane = new WebPlane(Serve(Clock, (what, detail) => Told.Add($"{what} {detail}"), Spool, Live));
        application = plane.Through(door ?? new SaidDoor(this));
    }

    public ManualClock Clock { get; } = new();

    public MemorySpool Spool { get; } = new();

    public EventHub Live { get; } = new();

    public List<string> Told { get; } = [];

    /// <summary>Who calls.</summary>
    public Caller Caller { get; set; } = Caller.Nobody;

    public IReadOnlyList<Endpoint> Endpoints => plane.Endpoints;

    /// <summary>A server that has a queue and nothing else.</summary>
    public static ServedRelay Serve(TimeProvider clock, Action<string, string> tell, MemorySpool? spool = null, EventHub? live = null)
    {
        var suspensions = new Suspensions();
        spool ??= new MemorySpool();
        return new ServedRelay
        {
            Clock = clock,
            Audit = NoAuditLog.Instance,
            Tell = tell,
            Live = live ?? new EventHub(),
            Status = static () => throw new InvalidOperationException("/secret/path is not there"),
            Queue = new QueueQueries(spool),
            QueueChanges = new QueueCommands(spool, new SpoolQueueControl(spool, clock), NoAuditLog.Instance, clock),
            Destinations = new SuspensionCommands((domains, suspends) => new(suspensions.Change(domains, suspends)), () => suspensions.All, NoAuditLog.Instance, clock),
            Sessions = new SessionCommands(new NoSessions(), NoAuditLog.Instance, clock),
            Reload = static _ => Task.FromResult(ReloadReport.Refused(["no server here"])),
            Explain = static (_, _) => Task.FromResult(new WhatIfAnswer()),
            Shaping = static (domain, _, _) => Task.FromResult(new Relay.Delivery.Shaping.ShapingReport(domain.Text)),
        };
    }

    public async Task<(int Status, string Body, IHeaderDictionary Headers)> AskAsync(
        string method, string path, string? body = null, Action<HttpContext>? prepare = null)
    {
        var answer = new MemoryStream();
        var context = await AskAsync(method, path, answer, body, prepare);
        return (context.Response.StatusCode, Encoding.UTF8.GetString(answer.ToArray()), context.Response.Headers);
    }

    /// <param name="path">As it stands in the address, with what is behind the question mark.</param>
    public async Task<HttpContext> AskAsync(string method, string path, Stream answer, string? body = null, Action<HttpContext>? prepare = null)
    {
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature());
        features.Set<IHttpResponseFeature>(new HttpResponseFeature());
        features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(answer));
        var context = application.CreateContext(features);
        var query = path.IndexOf('?', StringComparison.Ordinal);
        context.Request.Method = method;
        context.Request.Scheme = "http";
        context.Request.Host = new HostString("localhost");
        context.Request.Path = PathString.FromUriComponent(query < 0 ? path : path[..query]);
        context.Request.QueryString = new QueryString(query < 0 ? string.Empty : path[query..]);
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        if (body is not null)
        {
            context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
            context.Request.ContentType = "application/json";
        }

        prepare?.Invoke(context);
        await application.ProcessRequestAsync(context);
        return context;
    }

    public async ValueTask DisposeAsync()
    {
        await plane.DisposeAsync();
        await Spool.DisposeAsync();
    }

    private sealed class SaidDoor(PlaneRig rig) : Door
    {
        public override ValueTask<Caller> FindCallerAsync(HttpContext context) => new(rig.Caller);
    }

    private sealed class NoSessions : ISessionControl
    {
        public IReadOnlyList<OpenSession> List() => [];

        public int End(Func<OpenSession, bool> which) => 0;

        public Task<LoginsReviewed> ReviewAsync(CancellationToken ct) => Task.FromResult(new LoginsReviewed(0, 0));
    }
}
