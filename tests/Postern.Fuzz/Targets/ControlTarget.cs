using System.Net;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Postern.Fuzz.Models;
using Postern.Relay.Admin;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Memory;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;
using Postern.Web;
using Postern.Web.Calls;
using Postern.Web.Documents;
using Postern.Web.Doors;

namespace Postern.Fuzz.Targets;

/// <summary>Requests over the control socket: <c>METHOD path</c>, a line end, and the body. Each is answered with 200 or with what is wrong with it, and none is an exception.</summary>
internal sealed class ControlTarget : ITarget
{
    private readonly ManualClock clock = new();
    private readonly MemorySpool spool = new();
    private readonly IHttpApplication<HttpContext> application;
    private readonly CheckedLog log = new();
    private QueueId id;

    public ControlTarget() =>
        application = new WebPlane(new ServedRelay
        {
            Clock = clock,
            Audit = log,
            Status = static () => throw new InvalidOperationException("no status here"),
            Queue = new QueueQueries(spool),
            QueueChanges = new QueueCommands(spool, new SpoolQueueControl(spool, clock), log, clock),
            Destinations = new SuspensionCommands(static (domains, _) => new(domains.Count), static () => [], log, clock),
            Sessions = new SessionCommands(new OneSession(), log, clock),
            Reload = static _ => Task.FromResult(ReloadReport.Refused(["no server here"])),
            Explain = static (question, _) => Task.FromResult(new WhatIfAnswer { Problem = new(question.From, question.To ?? string.Empty) }),
            Shaping = static (domain, _, _) => Task.FromResult(new ShapingReport(domain.Text)),
        }).Through(new SocketDoor(own: 0));

    public string Name => "control";

    public Reached Reached { get; } = new("200", "400", "404", "changed");

    public bool TakesTranscripts => false;

    public int MaxOctets => 1000;

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of(
        "GET /queue?limit=10\n", "GET /queue?id=X&from=a@example.org&to=example.net&domain=x&until=2026-01-01T00:00:00Z&held=false&limit=500&after=X\n",
        "POST /queue/changes\n{\"action\":\"Hold\",\"filter\":{},\"everything\":true,\"dryRun\":true}", "POST /queue/changes\n{\"action\":\"Redirect\",\"filter\":{\"ids\":[\"X\"]},\"with\":\"a@example.org\"}", "POST /queue/changes\n{\"action\":\"Reroute\",\"filter\":{\"ids\":[\"X\"]},\"with\":\"smtp://x\"}", "POST /queue/changes\n{\"action\":\"Bounce\",\"filter\":{\"ids\":[\"X\"]}}", "GET /queue/destinations?most=3\n", "POST /queue/suspensions\n{\"domains\":[\"example.net\",\"?\"],\"suspends\":true}", "POST /queue/changes\n{\"action\":\"Release\",\"filter\":{\"from\":\"<>\"},\"token\":\"1.2.3\"}", "POST /queue/changes\n{\"action\":99,\"filter\":{}}", "POST /queue/changes\n{\"action\":\"Retry\",\"filter\":{\"to\":\"@example.net\"},\"dryRun\":true}",
        "GET /queue/X\n", "GET /queue/\n", "GET /nothing\n", "GET /queue/X/content\n", "POST /queue/changes\nnull", "POST /queue/changes\n{", "GET /sessions?id=0123456789ab&login=lisa@example.org&client=192.0.2.7\n", "POST /sessions/end\n{\"ids\":[\"0123456789ab\"],\"login\":\"lisa@example.org\",\"client\":\"192.0.2.7\"}", "POST /sessions/review\n", "POST /explain\n{\"client\":\"192.0.2.7\",\"from\":\"a@example.org\",\"to\":\"b@example.net\",\"login\":null,\"isTls\":true,\"hasCertificate\":false,\"listener\":\"submission\"}", "DELETE /logins/paused?target=192.0.2.7\n", "GET /limits?name=x\n", "GET /events?kind=mail&limit=1\n", "GET /decisions/K7M3Q9\n", "PUT /accounts/a\n{}");

    public IReadOnlyList<byte[]> Dictionary { get; } = Words.Of(["GET ", "POST ", "PUT ", "DELETE ", "/queue", "/queue/changes\n", "/queue/", "?limit=", "&after=", "&id=", "%00", "%2e%2e/", "\"filter\":", "\"action\":", "\"ids\":[null]", "\"Hold\"", "\"Remove\"", "null", "{}", "[]", "\\ud800", "\\u0000", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "\"\"", "\"@\"", .. NumberTexts.All]);

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var line = input.Span.IndexOf((byte)'\n');
        var words = Encoding.UTF8.GetString(line < 0 ? input.Span : input.Span[..line]).Split(' ', 2);
        if (words.Length < 2 || !words[1].StartsWith('/') || words[1].StartsWith("/status", StringComparison.OrdinalIgnoreCase) || words[1].StartsWith("/events/stream", StringComparison.OrdinalIgnoreCase))
            return signal.Value;
        if (spool.Count == 0)
            await FillAsync();
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature());
        features.Set<IHttpResponseFeature>(new HttpResponseFeature());
        var answer = new MemoryStream();
        features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(answer));
        var context = application.CreateContext(features);
        var query = words[1].IndexOf('?');
        var path = query < 0 ? words[1] : words[1][..query];
        context.Request.Method = words[0];
        context.Request.Path = new PathString(Route.Base + path.Replace("/queue/X", $"/queue/{id}", StringComparison.Ordinal));
        context.Request.QueryString = new QueryString(query < 0 ? string.Empty : words[1][query..].Replace("=X", $"={id}", StringComparison.Ordinal));
        context.Request.Body = new MemoryStream(line < 0 ? [] : input[(line + 1)..].ToArray());
        context.Request.ContentType = "application/json";
        await application.ProcessRequestAsync(context);
        var status = context.Response.StatusCode;
        BrokenException.Unless(status is 200 or (>= 400 and < 500), $"an answer is 200, or says what is wrong with the question: {status}");
        Reached.Note(status switch { 200 => "200", 404 => "404", _ => "400" });
        if (status == 200 && words[1].StartsWith("/queue/changes", StringComparison.OrdinalIgnoreCase))
            Reached.Note("changed");
        BrokenException.Unless(log.Flaw is null, $"the log can be read: {log.Flaw}");
        signal.Add(status);
        signal.AddSize(answer.Length / 32);
        return signal.Value;
    }

    private async Task FillAsync()
    {
        foreach (var sender in (ReversePath[])[ReversePath.Null, new ReversePath(Mailbox.Parse("a@example.org"))])
        {
            id = QueueId.New(clock);
            await using var draft = spool.CreateDraft();
            await draft.AppendAsync("x\r\n"u8.ToArray(), CancellationToken.None);
            await draft.CommitAsync(new Envelope { Id = id, ArrivedAt = clock.GetUtcNow(), Said = new(sender, [Mailbox.Parse("b@example.net")]) }, DeliveryState.Fresh(1, clock.GetUtcNow()), CancellationToken.None);
        }
    }

    /// <summary>A server with one session.</summary>
    private sealed class OneSession : ISessionControl
    {
        private readonly OpenSession session = new(
            "0123456789ab", "submission", IPAddress.Parse("192.0.2.7"), 40000, DateTimeOffset.UnixEpoch, "lisa@example.org", "lisa@example.org", "PLAIN")
        {
            Tls = "TLSv1.3",
            Phase = Phase.Ready,
        };

        public IReadOnlyList<OpenSession> List() => [session];

        public int End(Func<OpenSession, bool> which) => which(session) ? 1 : 0;

        public Task<LoginsReviewed> ReviewAsync(CancellationToken ct) => Task.FromResult(new LoginsReviewed(0, 0));
    }
}
