using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>Lines of a log that was damaged: an event or none, and an event that was read can be written, shown and searched for.</summary>
internal sealed class AuditTarget : ITarget
{
    private static readonly DateTimeOffset At = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly EventOrigin Origin = new("s1", "submission", "192.0.2.7") { User = "alice", Tls = "1.3" };

    private readonly AuditFilter filter = new(new AuditQuery { Client = IPNetwork.Parse("192.0.2.0/24"), Login = "alice" });
    private readonly AuditFilter any = new(new AuditQuery { Since = At });
    private readonly ArrayBufferWriter<byte> line = new();

    public string Name => "audit";

    public Reached Reached { get; } = new("event", "no event", "found");

    public bool TakesTranscripts => false;

    public int MaxOctets => 1200;

    public IEnumerable<byte[]> Seeds => new AuditEvent[]
    {
        new LoginEvent(At, Origin, "PLAIN", AuthOutcome.Ok, "because"),
        new RefusedEvent(At, Origin, "DATA", "554 5.4.6 no"),
        new DeliveryEvent(At, "Q1", "b@example.net", DeliveryOutcome.Deferred, 3, "451 4.3.0 later") { Remote = "mx.example.net", NextAttempt = At.AddHours(1), Code = 451 },
        DeferralsEvent.Of([new DeliveryEvent(At, "Q1", "b@example.net", DeliveryOutcome.Deferred, 3, "refused"), new DeliveryEvent(At, "Q2", "c@example.net", DeliveryOutcome.Deferred, 1, "refused") { NextAttempt = At.AddHours(1), RecipientIndex = 1 }]),
        new BounceEvent(At, "Q1", "Q2", "a@example.org", "expired"),
        new ExpandedEvent(At, "Q1", "Q2", ["staff@example.org"], 7) { Owner = "owner-staff@example.org" },
        new AdminEvent(At, "uid 0", "hold", "Q1") { Via = AdminDoor.Cli, Changes = [new AdminChange("limit", "1", After: null)] },
        new ServerEvent(At, "started", "x \u202e y"),
        new AcceptedEvent(At, Origin, "Q1", "a@example.org", ["b@example.net"], 100) { Source = MessageSource.Smtp, Refs = ["K7M3Q9"] },
        new LimitEvent(At, "login_messages", LimitState.Warned, "alice") { Allowed = "500/1h", Used = 400, User = "alice" },
        new CoalescedEvent(At, AuditKind.Auth, "failed", 7, At) { Client = "192.0.2.7", Code = 535 },
    }.Select(Write).Append("{\"at\":"u8.ToArray()).Append("{\"at\":\"2026-01-01T00:00:00.000Z\",\"event\":\"decision\",\"ref\":\"ABCDEF\",\"session\":\"s\",\"listener\":\"l\",\"client\":\"c\",\"stage\":\"rcpt\",\"sender\":\"\",\"outcome\":\"refuse\",\"rule\":\"r\",\"chain\":[{\"rule\":\"r\",\"saw\":\"x\",\"said\":\"y\"}]}"u8.ToArray());

    public IReadOnlyList<byte[]> Dictionary { get; } = Words.Of(["\"at\":", "\"event\":", "\"login\"", "\"decision\"", "\"accepted\"", "\"delivery\"", "\"deferrals\"", "\"hosts\":[[", "\"chain\":[", "\"recipients\":[", "\"size\":", "\"attempt\":", "\"next_attempt\":", "null", "{}", "[]", "\\ud800", "\\u0000", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000+14:00", "\"", ",", "}", .. NumberTexts.All]);

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var read = AuditEvents.Read(input);
        Reached.Note(read is null ? "no event" : "event");
        signal.Add(read is null);
        if (!filter.Match(input).IsEmpty || !any.Match(input).IsEmpty)
            Reached.Note("found");
        if (read is not null)
        {
            var written = Write(read);
            BrokenException.Unless(!written.AsSpan().ContainsAnyExceptInRange((byte)' ', (byte)'~'), "an event is one line of printable ASCII");
            BrokenException.Unless(AuditEvents.Read(written)?.GetType() == read.GetType(), "what was read can be written and read again");
            signal.Add(Encoding.UTF8.GetBytes(read.GetType().Name));
            signal.AddSize(written.Length);
        }

        return new(signal.Value);
    }

    private byte[] Write(AuditEvent audit)
    {
        line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(line, AuditEvents.Options))
            AuditEvents.Write(json, audit);
        return line.WrittenSpan.ToArray();
    }
}
