namespace Postern.Relay.Audit.Events;

/// <summary>A report to the sender was written for a message (a bounce; also a delay or a success), or suppressed, and why.</summary>
/// <param name="BounceId">The queue id of the report; null where none was written.</param>
public sealed record BounceEvent(DateTimeOffset At, string QueueId, string? BounceId, string To, string Reason) : AuditEvent(At)
{
    /// <summary>What the outcome of such an event is called in a search.</summary>
    public const string Outcome = "bounce";

    /// <summary>A value of <see cref="Suppressed"/>.</summary>
    public const string Stranger = "stranger";

    /// <summary>
    /// Why the sender is not told, in a word: <c>stranger</c> (nobody vouches for the address), <c>null_sender</c>, <c>not_asked</c>; null
    /// where it is told, or will be.
    /// </summary>
    public string? Suppressed { get; init; }

    public override string Name => Type.Name;

    public override AuditKind Kind => AuditKind.Mail;

    internal static EventType Type { get; } = new("bounce", static line =>
        new BounceEvent(line.At, line.Text("queue_id"), line.Maybe("bounce_id"), line.Text("to"), line.Text("reason"))
        {
            Suppressed = line.Maybe("suppressed"),
        });

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
        fields.Texts(("queue_id", QueueId), ("bounce_id", BounceId), ("to", To), ("reason", Reason), ("suppressed", Suppressed));
}
