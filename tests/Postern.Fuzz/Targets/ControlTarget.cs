using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Postern.Fuzz.Models;
using Postern.Hosting.Control;
using Postern.Hosting.Live;
using Postern.Relay.Admin;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Relay.Spool.Memory;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>Requests over the control socket: <c>METHOD path</c>, a line end, and the body. Each has an answer of 200, 400 or 404, and none is an exception.</summary>
internal sealed class ControlTarget : ITarget
{
    private readonly ManualClock clock = new();
    private readonly MemorySpool spool = new();
    private readonly ControlApplication application;
    private readonly CheckedLog log = new();
    private QueueId id;

    public ControlTarget() =>
        application = new ControlApplication(new QueueQueries(spool), new QueueCommands(spool, new SpoolQueueControl(spool, clock), log, clock), new SuspensionCommands(static (domains, _) => new(domains.Count), static () => [], log, clock), static () => throw new InvalidOperationException("no status here"), static _ => Task.FromResult(ReloadReport.Refused(["no server here"])), static (question, _) => Task.FromResult(new WhatIfAnswer { Problem = new(question.From, question.To ?? string.Empty) }), static (domain, _, _) => Task.FromResult(new ShapingReport(domain.Text)), new SessionCommands(new OneSession(), log, clock));

    public string Name => "control";

    public Reached Reached { get; } = new("200", "400", "404", "changed");

    public bool TakesTranscripts => false;

    public int MaxOctets => 1000;

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of(
        "POST /queue/list\n{\"filter\":{},\"limit\":10,\"after\":null}", "POST /queue/list\n{\"filter\":{\"ids\":[\"X\"],\"from\":\"a@example.org\",\"to\":\"example.net\",\"domain\":\"x\",\"arrivedBefore\":\"2026-01-01T00:00:00Z\",\"held\":false},\"limit\":2147483647,\"after\":\"X\"}",
        "POST /queue/change\n{\"action\":\"Hold\",\"filter\":{}}", "POST /queue/change\n{\"action\":\"Redirect\",\"filter\":{\"cause\":\"x\"},\"with\":\"a@example.org\"}", "POST /queue/change\n{\"action\":\"Reroute\",\"filter\":{},\"with\":\"smtp://x\"}", "POST /queue/change\n{\"action\":\"Bounce\",\"filter\":{}}", "POST /queue/count\n{\"filter\":{},\"most\":3}", "POST /queue/suspend\n{\"domains\":[\"example.net\",\"?\"],\"suspends\":true}", "POST /queue/change\n{\"action\":\"Release\",\"filter\":{\"from\":\"<>\"}}", "POST /queue/change\n{\"action\":99,\"filter\":{}}", "POST /queue/change\n{\"action\":\"Retry\",\"filter\":{\"to\":\"@example.net\"}}",
        "GET /queue/X\n", "GET /queue/\n", "GET /nothing\n", "POST /queue/list\nnull", "POST /queue/list\n{", "POST /session/list\n{}", "POST /session/end\n{\"ids\":[\"0123456789ab\"],\"login\":\"lisa@example.org\",\"client\":\"192.0.2.7\"}", "POST /session/review\n{}", "POST /explain\n{\"client\":\"192.0.2.7\",\"from\":\"a@example.org\",\"to\":\"b@example.net\",\"login\":null,\"isTls\":true,\"hasCertificate\":false,\"listener\":\"submission\"}", "DELETE /queue/list\n{}");

    public IReadOnlyList<byte[]> Dictionary { get; } = Words.Of(["GET ", "POST ", "/queue/list\n", "/queue/change\n", "/queue/", "\"filter\":", "\"limit\":", "\"after\":", "\"action\":", "\"ids\":[null]", "\"Hold\"", "\"Remove\"", "null", "{}", "[]", "\\ud800", "\\u0000", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "\"\"", "\"@\"", .. NumberTexts.All]);

    public async ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var line = input.Span.IndexOf((byte)'\n');
        var words = Encoding.UTF8.GetString(line < 0 ? input.Span : input.Span[..line]).Split(' ', 2);
        if (words.Length < 2 || !words[1].StartsWith('/') || words[1] == "/status")
            return signal.Value;
        if (spool.Count == 0)
            await FillAsync();
        var context = new DefaultHttpContext();
        context.Request.Method = words[0];
        context.Request.Path = new PathString(words[1].Replace("/queue/X", $"/queue/{id}", StringComparison.Ordinal));
        context.Request.Body = new MemoryStream(line < 0 ? [] : input[(line + 1)..].ToArray());
        var answer = new MemoryStream();
        context.Response.Body = answer;
        await application.ProcessRequestAsync(context);
        BrokenException.Unless(context.Response.StatusCode is 200 or 400 or 404, $"an answer is 200, 400 or 404: {context.Response.StatusCode}");
        Reached.Note(context.Response.StatusCode switch { 200 => "200", 400 => "400", _ => "404" });
        if (context.Response.StatusCode == 200 && words[1] == "/queue/change")
            Reached.Note("changed");
        BrokenException.Unless(log.Flaw is null, $"the log can be read: {log.Flaw}");
        signal.Add(context.Response.StatusCode);
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
