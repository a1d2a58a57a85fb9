namespace Postern.Relay.Audit.Events;

/// <summary>The server itself: started, stopping, a certificate made, a limit reached.</summary>
/// <param name="Event">The word for what happened, from a closed list; <c>what</c> in the log.</param>
public sealed record ServerEvent(DateTimeOffset At, string Event, string Detail) : AuditEvent(At)
{
    /// <summary>The message that it is about; null where it is about none, or about many.</summary>
    public string? QueueId { get; init; }

    public override string Name => Type.Name;

    public override AuditKind Kind => AuditKind.Server;

    internal static EventType Type { get; } = new("server", static line =>
        new ServerEvent(line.At, line.Text("what"), line.Text("detail")) { QueueId = line.Maybe("queue_id") });

    /// <summary>What is about a message can be told again, perhaps in other words.</summary>
    internal override string Key => $"{Event}\n{QueueId ?? Detail}\n{At.UtcTicks}";

    internal override EventTraits Traits => new() { QueueId = QueueId };

    private protected override long TextOctets => OctetsOf(Event, Detail, QueueId);

    public override string[] ToCells() => [Event, Detail];

    internal override void WriteTo(EventFields fields) => fields.Texts(("what", Event), ("detail", Detail), ("queue_id", QueueId));
}
