using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Tests.Audit;

/// <summary>A directory of audit files for one test, gone after it.</summary>
internal sealed class AuditDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("postern-audit-").FullName;

    public AuditSearch Search => new(Path);

    public static DateTimeOffset Noon { get; } = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    public static EventOrigin Origin(string session = "s1", string client = "192.0.2.7", string? user = "alice") =>
        new(session, "submission", client) { User = user, Tls = "TLSv1.3" };

    public static LoginEvent Login(DateTimeOffset at, string user = "alice", string client = "192.0.2.7", string session = "s1") =>
        new(at, Origin(session, client, user), "PLAIN", AuthOutcome.Ok, "password") { ActingAs = user };

    public static DecisionEvent Decision(DateTimeOffset at, string reference = "K7M3Q9", string session = "s1", string sender = "alice@example.org") => new(
        at, Origin(session) with { Helo = "client.example" }, reference, "recipient", DecisionOutcome.Permit, "permit_authenticated", sender, "lisa@far.example")
    {
        Chain = [new RuleStep("permit_authenticated", "logged in as alice", "permit", Remedy: null)],
    };

    public static AcceptedEvent Accepted(DateTimeOffset at, string queueId, string session = "s1") =>
        new(at, Origin(session), queueId, "alice@example.org", ["lisa@far.example"], 4_096);

    public static DeliveryEvent Delivery(DateTimeOffset at, string queueId, DeliveryOutcome outcome = DeliveryOutcome.Delivered) =>
        new(at, queueId, "lisa@far.example", outcome, 1, "250 ok") { Remote = "mx.far.example [203.0.113.5]", Tls = "TLSv1.3" };

    public string FileOf(string name) => System.IO.Path.Join(Path, name);

    public async Task WriteAsync(params IEnumerable<AuditEvent> events)
    {
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = Path, KeepDays = 100_000, QueueOctets = long.MaxValue }, TimeProvider.System);
        foreach (var audit in events)
            log.Append(audit);
    }

    public async Task<List<AuditEvent>> FindAsync(AuditQuery? query = null)
    {
        var found = new List<AuditEvent>();
        await foreach (var audit in Search.FindAsync(query ?? new AuditQuery(), TestContext.Current.CancellationToken))
            found.Add(audit);
        return found;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
