using System.Buffers;
using System.Text.Json;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;

namespace Postern.Fuzz.Models;

/// <summary>A log that writes every event as the real one does and reads it back: one line, printable, and the same kind of event.</summary>
internal sealed class CheckedLog : IAuditLog
{
    private readonly ArrayBufferWriter<byte> line = new(4096);
    private readonly Lock gate = new();

    public long Dropped => 0;

    /// <summary>What a session or a part of the server called a fault since it was taken off here.</summary>
    public string? Fault { get; set; }

    /// <summary>What is wrong with a line.</summary>
    public string? Flaw { get; set; }

    public void Append(AuditEvent audit)
    {
        lock (gate)
        {
            line.ResetWrittenCount();
            using (var json = new Utf8JsonWriter(line, AuditEvents.Options))
                AuditEvents.Write(json, audit);
            if (line.WrittenSpan.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
                Flaw = $"an event is one line of printable ASCII: {audit}";
            else if (AuditEvents.Read(line.WrittenMemory)?.GetType() != audit.GetType())
                Flaw = $"an event can be read back: {audit}";
            if (audit is ServerEvent { Event: "fault" or "gauge_fault" or "listener_trouble" } server)
                Fault = $"{server.Event}: {server.Detail}";
        }
    }

    public ValueTask FlushAsync(CancellationToken ct) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
