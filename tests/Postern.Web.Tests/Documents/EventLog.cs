using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Web.Tests.Documents;

/// <summary>A real event log of one test, gone after it.</summary>
internal sealed class EventLog : IDisposable
{
    public static readonly DateTimeOffset Noon = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);

    public string Path { get; } = Directory.CreateTempSubdirectory("postern-web-").FullName;

    public AuditSearch Search => new(Path);

    public async Task WriteAsync(params IEnumerable<AuditEvent> events)
    {
        await using var log = new JsonLinesAuditLog(new AuditLogOptions { Directory = Path, KeepDays = 100_000 }, TimeProvider.System);
        foreach (var audit in events)
            log.Append(audit);
        await log.FlushAsync(TestContext.Current.CancellationToken);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
