using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Bench;

/// <summary>
/// How long a search takes over many events: thirty days of them, written straight into day files by the encoder of the log. Fails where one that is for a few events
/// takes longer than two seconds.
/// </summary>
internal static class EventSearch
{
    private const int Days = 30;

    private static readonly TimeSpan Most = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(int events)
    {
        var folder = Directory.CreateTempSubdirectory("postern-bench-");
        try
        {
            var begun = Stopwatch.GetTimestamp();
            var end = new DateTimeOffset(2026, 11, 30, 0, 0, 0, TimeSpan.Zero);
            await WriteAsync(folder.FullName, events, end.AddDays(-Days), end);
            var (log, index) = (OctetsOf(folder, "*.jsonl"), OctetsOf(folder, "*.idx"));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{events} events in {Stopwatch.GetElapsedTime(begun).TotalSeconds:0} s, {log / 1e6:0} MB, index {index / 1e6:0.0} MB ({100.0 * index / log:0.0} %)"));
            var message = events / 8 / 2;
            var isQuick = true;
            isQuick &= await MeasureAsync(folder.FullName, "recipient", new AuditQuery { Kinds = AuditKind.Mail, Recipient = $"r{message}@far{message % 5000}.example" });
            isQuick &= await MeasureAsync(folder.FullName, "message id", new AuditQuery { Kinds = AuditKind.Mail, MessageId = $"m{message}@example.org" });
            isQuick &= await MeasureAsync(folder.FullName, "queue id", new AuditQuery { Kinds = AuditKind.Mail, QueueId = IdOf(message) });
            isQuick &= await MeasureAsync(folder.FullName, "reference", new AuditQuery { Kinds = AuditKind.Policy, Ref = RefOf(message) });
            isQuick &= await MeasureAsync(folder.FullName, "unknown sender", new AuditQuery { Kinds = AuditKind.Mail, Sender = "nobody@nowhere.example" });
            isQuick &= await MeasureAsync(folder.FullName, "domain, 50 of many", new AuditQuery { Kinds = AuditKind.Mail, Domain = "far7.example", Limit = 50 });
            isQuick &= await MeasureAsync(folder.FullName, "login, 50 of many", new AuditQuery { Kinds = AuditKind.Auth, Login = "user77@example.org", Limit = 50 });
            return isQuick ? 0 : 1;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<bool> MeasureAsync(string folder, string name, AuditQuery query)
    {
        var begun = Stopwatch.GetTimestamp();
        var page = await new AuditSearch(folder).PageAsync(query, after: null, TimeSpan.FromMinutes(1), TimeProvider.System, CancellationToken.None);
        var took = Stopwatch.GetElapsedTime(begun);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-20} {page.Events.Length,6} found {took.TotalMilliseconds,8:0} ms"));
        return took <= Most;
    }

    private static async Task WriteAsync(string folder, int events, DateTimeOffset from, DateTimeOffset to)
    {
        using var sync = new AuditSync(Console.WriteLine);
        var files = AuditKinds.Each.ToDictionary(static kind => kind, kind => new AuditFile(folder, kind, sync));
        var line = new ArrayBufferWriter<byte>();
        await using var json = new Utf8JsonWriter(line, AuditEvents.Options);
        var step = (to - from) / events;
        for (var i = 0; i < events; i++)
        {
            var audit = EventOf(i, from + (step * i));
            line.ResetWrittenCount();
            json.Reset();
            AuditEvents.Write(json, audit);
            await json.FlushAsync();
            line.Write("\n"u8);
            var file = files[audit.Kind];
            var day = AuditFileName.DayOf(audit.At);
            if (file.Day != day || file.Pending >= 1_000)
                file.Write();
            file.Add(day, audit, line.WrittenSpan);
        }

        foreach (var file in files.Values)
        {
            file.Write();
            file.Dispose();
        }
    }

    /// <summary>Of eight events: a login, three decisions, a message, three deliveries.</summary>
    private static AuditEvent EventOf(int i, DateTimeOffset at)
    {
        var message = i / 8;
        var user = $"user{message % 1_000}@example.org";
        var origin = new EventOrigin($"s{message}", "submission", $"192.0.{message % 200}.{message % 250}") { User = user, Tls = "TLSv1.3", Helo = "client.example" };
        var recipient = $"r{message}@far{message % 5_000}.example";
        return (i % 8) switch
        {
            0 => new LoginEvent(at, origin, "PLAIN", AuthOutcome.Ok, "password"),
            1 or 2 or 3 => new DecisionEvent(at, origin, RefOf(message), "recipient", DecisionOutcome.Permit, "permit_authenticated", user, recipient)
            {
                Chain = [new RuleStep("permit_authenticated", $"logged in as {user}", "permit", Remedy: null)],
            },
            4 => new AcceptedEvent(at, origin, IdOf(message), user, [recipient], 4_096) { MessageId = $"<m{message}@example.org>", HeaderFrom = $"User <{user}>" },
            var part => new DeliveryEvent(at, IdOf(message), recipient, part == 7 ? DeliveryOutcome.Delivered : DeliveryOutcome.Deferred, part - 4, "250 2.0.0 Taken")
            {
                Remote = $"mx.far{message % 5_000}.example[198.51.100.7]:25", Tls = "TLSv1.3", Route = "mx",
            },
        };
    }

    private static string IdOf(int message) => string.Create(CultureInfo.InvariantCulture, $"01JD0K3ZQ8Y6X5V4{message:0000000000}");

    private static string RefOf(int message) => string.Create(CultureInfo.InvariantCulture, $"K{message:00000000}");

    private static long OctetsOf(DirectoryInfo folder, string pattern) => folder.GetFiles(pattern).Sum(static f => f.Length);
}
