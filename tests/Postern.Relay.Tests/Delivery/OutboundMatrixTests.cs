using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Transports;
using Postern.Sasl;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;
using Postern.Testing.Sinks;

namespace Postern.Relay.Tests.Delivery;

/// <summary>
/// What becomes of a message to two recipients at a server that misbehaves: each way at each step. The page is what was reviewed; every cell
/// is tried here, once with the server alone and once with a good one behind it.
/// </summary>
public sealed class OutboundMatrixTests
{
    private const string Page = "docs/outbound-matrix.md";
    private const string Begin = "<!-- cells -->\n";

    /// <summary>Of the step that is tried only: all others have what a slow machine may need.</summary>
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Ample = TimeSpan.FromSeconds(60);

    private static readonly (string Name, SinkAction Action)[] Behaviours =
    [
        ("says 4xx", new SinkAction.Reply("450 4.2.0 Later")),
        ("says 5xx", new SinkAction.Reply("550 5.2.0 Never")),
        ("says 421 and closes", new SinkAction.Reply("421 4.3.2 Going")),
        ("closes", new SinkAction.Close()),
        ("hangs", new SinkAction.Hang()),
        ("says what is no reply", new SinkAction.Raw("garbage\r\n"u8.ToArray())),
        ("says lines without end", new SinkAction.Flood("250-more\r\n"u8.ToArray())),
        ("says an octet now and then", new SinkAction.Trickle("250-more\r\n"u8.ToArray(), TimeSpan.FromMilliseconds(20))),
    ];

    private static readonly Step[] Steps =
    [
        new("greeting", SinkPhase.Connect, static t => t with { Greeting = Short }),
        new("EHLO", SinkPhase.Ehlo, static t => t with { Command = Short }),
        new("STARTTLS", SinkPhase.StartTls, static t => t with { Command = Short }) { Tls = "opportunistic" },
        new("STARTTLS where TLS is owed", SinkPhase.StartTls, static t => t with { Command = Short }) { Tls = "required" },
        new("TLS handshake", SinkPhase.Handshake, static t => t with { Handshake = Short }) { Tls = "opportunistic" },
        new("TLS handshake where TLS is owed", SinkPhase.Handshake, static t => t with { Handshake = Short }) { Tls = "required" },
        new("AUTH", SinkPhase.Auth, static t => t with { Command = Short }) { LogsIn = true },
        new("MAIL", SinkPhase.Mail, static t => t with { Mail = Short }),
        new("RCPT of the first", SinkPhase.Rcpt, static t => t with { Rcpt = Short }) { Of = "one@" },
        new("RCPT of the second", SinkPhase.Rcpt, static t => t with { Rcpt = Short }) { Of = "two@" },
        new("DATA", SinkPhase.Data, static t => t with { Data = Short }),
        new("content", SinkPhase.Content, static t => t with { DataBlock = Short, EndOfData = Short }),
        new("end of data", SinkPhase.EndOfData, static t => t with { EndOfData = Short }),
        new("BDAT LAST", SinkPhase.Chunk, static t => t with { EndOfData = Short }) { IsBinary = true },
        new("QUIT", SinkPhase.Quit, static t => t with { Quit = Short }),
        new("MAIL of one of several on their way", SinkPhase.Mail, static t => t with { Mail = Short }) { Of = "<t@", IsInGroup = true },
        new("RCPT of the first, of one of several", SinkPhase.Rcpt, static t => t with { Rcpt = Short }) { Of = "one@", IsInGroup = true },
        new("RCPT of the second, of one of several", SinkPhase.Rcpt, static t => t with { Rcpt = Short }) { Of = "two@", IsInGroup = true },
        new("BDAT LAST of one of several", SinkPhase.Chunk, static t => t with { EndOfData = Short }) { Of = "BDAT 17 LAST", IsInGroup = true },
    ];

    /// <summary>POSTERN_WRITE_DOCS=1 writes the tables anew.</summary>
    [Fact]
    public async Task Every_step_and_behaviour_has_the_result_that_the_page_says()
    {
        using var certificate = TestCertificate.Create("127.0.0.1");
        using var busy = new SemaphoreSlim(8);
        var cells = await Task.WhenAll(
            from step in Steps
            from behaviour in Behaviours
            let waits = behaviour.Action is SinkAction.Hang or SinkAction.Trickle
            select TurnAsync(waits ? null : busy, () => CellAsync(waits ? step : step with { With = static t => t }, behaviour.Name, behaviour.Action, certificate)));
        var text = new StringBuilder();
        foreach (var step in Steps)
        {
            var (column, rule) = step.IsInGroup ? (" the message behind |", "---|") : ("", "");
            text.Append(CultureInfo.InvariantCulture, $"\n## {step.Name}\n\n| the server | the first | the second | why | the next host | a second copy |{column}\n|---|---|---|---|---|---|{rule}\n");
            foreach (var cell in cells.Where(c => c.Step == step.Name))
                text.Append(CultureInfo.InvariantCulture, $"| {cell.Behaviour} | {cell.First} | {cell.Second} | {cell.Why} | {cell.NextHost} | {cell.SecondCopy} |{(step.IsInGroup ? $" {cell.Behind} |" : "")}\n");
        }

        var path = SourceTree.PathOf(Page);
        var page = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        var upTo = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        if (Environment.GetEnvironmentVariable("POSTERN_WRITE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(path, page[..upTo] + text, TestContext.Current.CancellationToken);
            return;
        }

        Assert.Equal(page[upTo..].Split('\n'), text.ToString().Split('\n'));
    }

    private static async Task<Cell> CellAsync(Step step, string name, SinkAction action, X509Certificate2 certificate)
    {
        await using var bad = new ScriptedSink(step.Sink(action, certificate));
        await using var good = new ScriptedSink(step.Sink(action: null, certificate));
        await using var alone = new ScriptedSink(step.Sink(action, certificate));
        var (by, behind) = await DeliverAsync(step, certificate, alone.Port);
        var (withNext, _) = await DeliverAsync(step, certificate, bad.Port, good.Port);
        var unlike = by.Where(static o => o is not Outcome.Delivered).DistinctBy(static o => (o.Cause, o.Phase)).ToList();
        return new Cell(
            step.Name,
            name,
            Word(by[0]),
            Word(by[1]),
            unlike.Count == 0 ? "" : string.Join("; ", unlike.Select(static o => $"{DeliveryEvents.CategoryOf(o)}{(o is Outcome.Deferred { IsUnreachable: true } ? ", looked at" : "")}")),
            (good.Messages.Count, by.Any(static o => o is Outcome.Deferred), withNext.Any(static o => o is Outcome.Deferred)) switch
            {
                (0, true, _) => "not asked",
                (0, false, _) => "",
                (_, _, true) => "asked for some",
                _ => "takes it",
            },
            // From where the client stands, whatever this server did with it.
            by.Any(MayHaveIt) ? "possible" : "",
            behind is null ? "goes over another" : MayHaveIt(behind) ? "deferred, possible" : Word(behind));
    }

    private static bool MayHaveIt(Outcome outcome) => outcome is Outcome.Deferred { Phase: DeliveryPhase.End, IsVerbatim: false };

    /// <summary>Those that only wait for the server do so all together; the others take turns on a small machine.</summary>
    private static async Task<Cell> TurnAsync(SemaphoreSlim? turns, Func<Task<Cell>> cell)
    {
        await Task.Yield();
        if (turns is not null)
            await turns.WaitAsync();
        try
        {
            return await cell();
        }
        finally
        {
            turns?.Release();
        }
    }

    private static string Word(Outcome outcome) => outcome switch
    {
        Outcome.Delivered { Tls: null } => "delivered",
        Outcome.Delivered => "delivered by TLS",
        Outcome.Failed => "failed",
        _ => "deferred",
    };

    /// <summary>What the recipients' attempt comes to, and that of a message behind it; null where it was not attempted.</summary>
    private static async Task<(IReadOnlyList<Outcome> Outcomes, Outcome? Behind)> DeliverAsync(Step step, X509Certificate2 certificate, params int[] ports)
    {
        var route = new Route("*", [.. ports.Select(port => $"smtp://127.0.0.1:{port}?tls={step.Tls}")])
        {
            Trusted = step.Tls == "none" ? null : [certificate],
            Login = step.LogsIn ? new ClientLogin(new() { User = "u", Password = new Secret("p") }) { AllowsExposure = true } : null,
        };
        var options = DeliveryRig.Options(route) with { Timeouts = step.Timeouts, FarFrom = TimeSpan.Zero };
        var hop = Assert.IsType<RouteParse.Ok>(RouteTable.Parse([route])).Table.Find("there.test");
        var lane = new SmtpDelivery(options, TimeProvider.System).OpenLane(hop);
        await using (lane)
        {
            var message = new OutgoingMessage(
                new SmtpEnvelope(new ReversePath(Mailbox.Parse("t@here.test")), [Mailbox.Parse("one@there.test"), Mailbox.Parse("two@there.test")])
                {
                    Parameters = new MailParameters { Body = step.IsBinary ? BodyType.BinaryMime : BodyType.SevenBit },
                },
                MessageContent.From("Subject: x\r\n\r\nx\r\n"u8.ToArray()));
            if (step.IsInGroup)
                return await DeliverInGroupAsync(lane, message);
            var report = await lane.DeliverAsync(message, following: null, Unrecorded.Instance, CancellationToken.None);
            return (report.Outcomes, null);
        }
    }

    /// <summary>Behind one that makes the connection, and before one that is on its way with it.</summary>
    private static async Task<(IReadOnlyList<Outcome> Outcomes, Outcome? Behind)> DeliverInGroupAsync(IDeliveryLane lane, OutgoingMessage message)
    {
        var other = message with
        {
            Envelope = new SmtpEnvelope(ReversePath.Null, [Mailbox.Parse("other@there.test")]),
            Content = MessageContent.From("Subject: other\r\n\r\nx\r\n"u8.ToArray()),
        };
        Assert.IsType<Outcome.Delivered>((await lane.DeliverAsync(other, following: null, Unrecorded.Instance, CancellationToken.None)).Outcomes.Single());
        var reports = new DeliveryReport?[2];
        Assert.True(await lane.DeliverAllAsync(
            [message, other], [Unrecorded.Instance, Unrecorded.Instance], (i, report) => reports[i] = report, CancellationToken.None));
        return (reports[0]!.Value.Outcomes, reports[1]?.Outcomes.Single());
    }

    private sealed record Cell(string Step, string Behaviour, string First, string Second, string Why, string NextHost, string SecondCopy, string Behind);

    private sealed record Step(string Name, SinkPhase Phase, Func<SmtpTimeouts, SmtpTimeouts> With)
    {
        public string Tls { get; init; } = "none";

        public bool LogsIn { get; init; }

        public bool IsBinary { get; init; }

        /// <summary>The message is on its way together with another.</summary>
        public bool IsInGroup { get; init; }

        /// <summary>Misbehaves at a command that has this in it only.</summary>
        public string Of { get; init; } = "";

        public SmtpTimeouts Timeouts => With(new SmtpTimeouts
        {
            Connect = Ample,
            Greeting = Ample,
            Command = Ample,
            Handshake = Ample,
            Mail = Ample,
            Rcpt = Ample,
            Data = Ample,
            DataBlock = Ample,
            EndOfData = Ample,
            Quit = TimeSpan.FromMilliseconds(200),
        });

        public SinkOptions Sink(SinkAction? action, X509Certificate2 certificate) => new()
        {
            Extensions = ["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", .. IsBinary ? (string[])["CHUNKING", "BINARYMIME"] : IsInGroup ? ["CHUNKING"] : [], .. LogsIn ? (string[])["AUTH PLAIN"] : []],
            Certificate = Tls == "none" ? null : certificate,
            Script = (phase, line, _) => action is null ? null
                : phase == Phase && line.Contains(Of, StringComparison.Ordinal) ? action
                // What is on its way already behind a refused MAIL is out of sequence.
                : IsInGroup && Phase == SinkPhase.Mail && phase == SinkPhase.Rcpt && action is SinkAction.Reply && !line.Contains("other@", StringComparison.Ordinal)
                    ? new SinkAction.Reply("503 5.5.1 MAIL first")
                    : null,
        };
    }

    private sealed class Unrecorded : IOutcomeRecord
    {
        public static Unrecorded Instance { get; } = new();

        public ValueTask RecordAsync(IReadOnlyList<Outcome> outcomes) => ValueTask.CompletedTask;
    }
}
