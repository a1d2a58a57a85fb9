namespace Postern.Relay.Audit.Events;

/// <summary>A report to the sender was written for a message (a bounce; also a delay or a success), or suppressed, and why.</summary>
/// <param name="BounceId">The queue id of the report; null where none was written.</param>
public sealed record BounceEvent(DateTimeOffset At, string QueueId, string? BounceId, string To, string Reason) : AuditEvent(At)
{
    /// <summary>What the outcome of such an event is called in a search.</summary>
    public const string Outcome = "bounce";

    public override string Name => Type.Name;

    public override AuditKind Kind => AuditKind.Mail;

    internal static EventType Type { get; } = new("bounce", static line =>
        new BounceEvent(line.At, line.Text("queue_id"), line.Maybe("bounce_id"), line.Text("to"), line.Text("reason")));

    internal override string Key => BounceId is null ? $"{QueueId}\n{Reason}\n{At.UtcTicks}" : $"{QueueId}\n{BounceId}";

    internal override EventTraits Traits => new() { QueueId = QueueId, Outcome = Outcome, ContinuesMessage = true };

    private protected override long TextOctets => OctetsOf(QueueId, BounceId, To, Reason);

    public override string[] ToCells() =>
    [
        BounceId is null ? "no bounce" : "bounce",
        QueueId,
        To.Length == 0 ? "<>" : To,
        "-",
        BounceId is null ? Reason : $"{BounceId}: {Reason}",
    ];

    internal override void WriteTo(EventFields fields) =>
        fields.Texts(("queue_id", QueueId), ("bounce_id", BounceId), ("to", To), ("reason", Reason));
}
