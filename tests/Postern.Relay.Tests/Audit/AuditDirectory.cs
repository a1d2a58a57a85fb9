using Postern.Relay.Audit;

namespace Postern.Relay.Tests.Audit;

/// <summary>A directory of audit files for one test, gone after it.</summary>
internal sealed class AuditDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("postern-audit-").FullName;

    public AuditSearch Search => new(Path);

    public static DateTimeOffset Noon { get; } = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    public static AuditEvent.Login Login(DateTimeOffset at, string user = "alice", string client = "192.0.2.7", string session = "s1") =>
        new(at, session, "submission", client, "PLAIN", user, user, "ok", "password", "TLSv1.3");

    public static AuditEvent.Decision Decision(DateTimeOffset at, string reference = "K7M3Q9", string session = "s1", string sender = "alice@example.org") => new(
        at, reference, session, "submission", "192.0.2.7", "client.example", "alice", "TLSv1.3", "recipient", sender, "lisa@far.example",
        "permit", "permit_authenticated", Reply: null, [new RuleStep("permit_authenticated", "logged in as alice", "permit", Remedy: null)]);

    public static AuditEvent.Accepted Accepted(DateTimeOffset at, string queueId, string session = "s1") =>
        new(at, queueId, session, "submission", "192.0.2.7", "alice", "alice@example.org", ["lisa@far.example"], 4_096, "TLSv1.3");

    public static AuditEvent.Delivery Delivery(DateTimeOffset at, string queueId, string outcome = "delivered") =>
        new(at, queueId, "lisa@far.example", outcome, 1, "mx.far.example [203.0.113.5]", "250 ok", "TLSv1.3", NextAttempt: null);

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
