using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;
using Postern.Relay.Audit;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>Lines of a log that was damaged: an event or none, and an event that was read can be written, shown and searched for.</summary>
internal sealed class AuditTarget : ITarget
{
    private static readonly DateTimeOffset At = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly AuditFilter filter = new(new AuditQuery { Client = IPNetwork.Parse("192.0.2.0/24"), Login = "alice" });
    private readonly AuditFilter any = new(new AuditQuery { Since = At });
    private readonly ArrayBufferWriter<byte> line = new();

    public string Name => "audit";

    public Reached Reached { get; } = new("event", "no event", "found");

    public bool TakesTranscripts => false;

    public int MaxOctets => 1200;

    public IEnumerable<byte[]> Seeds => new AuditEvent[]
    {
        new AuditEvent.Login(At, "s1", "submission", "192.0.2.7", "PLAIN", "alice", ActingAs: null, "ok", "because", "1.3"),
        new AuditEvent.Refused(At, "s1", "submission", "192.0.2.7", "alice", "DATA", "554 5.4.6 no"),
        new AuditEvent.Delivery(At, "Q1", "b@example.net", "deferred", 3, "mx.example.net", "451 4.3.0 later", "1.3", At.AddHours(1)),
        new AuditEvent.Bounce(At, "Q1", "Q2", "a@example.org", "expired"),
        new AuditEvent.Admin(At, "uid 0", "hold", "Q1"),
        new AuditEvent.Server(At, "started", "x \u202e y"),
        new AuditEvent.Accepted(At, "Q1", "s1", "submission", "192.0.2.7", "alice", "a@example.org", ["b@example.net"], 100, "1.3"),
    }.Select(Write).Append("{\"at\":"u8.ToArray()).Append("{\"at\":\"2026-01-01T00:00:00.000Z\",\"event\":\"decision\",\"ref\":\"ABCDEF\",\"session\":\"s\",\"listener\":\"l\",\"client\":\"c\",\"stage\":\"rcpt\",\"sender\":\"\",\"outcome\":\"refuse\",\"rule\":\"r\",\"chain\":[{\"rule\":\"r\",\"saw\":\"x\",\"said\":\"y\"}]}"u8.ToArray());

    public IReadOnlyList<byte[]> Dictionary { get; } = Words.Of(["\"at\":", "\"event\":", "\"login\"", "\"decision\"", "\"accepted\"", "\"delivery\"", "\"chain\":[", "\"recipients\":[", "\"size\":", "\"attempt\":", "\"next_attempt\":", "null", "{}", "[]", "\\ud800", "\\u0000", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000+14:00", "\"", ",", "}", .. NumberTexts.All]);

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var read = AuditEventReader.Read(input);
        Reached.Note(read is null ? "no event" : "event");
        signal.Add(read is null);
        if (filter.Match(input) is not null || any.Match(input) is not null)
            Reached.Note("found");
        if (read is not null)
        {
            var written = Write(read);
            BrokenException.Unless(!written.AsSpan().ContainsAnyExceptInRange((byte)' ', (byte)'~'), "an event is one line of printable ASCII");
            BrokenException.Unless(AuditEventReader.Read(written)?.GetType() == read.GetType(), "what was read can be written and read again");
            signal.Add(Encoding.UTF8.GetBytes(read.GetType().Name));
            signal.AddSize(written.Length);
        }

        return new(signal.Value);
    }

    private byte[] Write(AuditEvent audit)
    {
        line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(line, AuditEventWriter.Options))
            AuditEventWriter.Write(json, audit);
        return line.WrittenSpan.ToArray();
    }
}
