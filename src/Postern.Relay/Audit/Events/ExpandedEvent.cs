using System.Collections.Immutable;
using System.Globalization;

namespace Postern.Relay.Audit.Events;

/// <summary>Recipients of a message stood for others, by an alias, a forward or a list: another message goes to those.</summary>
/// <param name="Into">The queue id of that other message; null where nobody is left for one.</param>
/// <param name="Recipients">Those that stood for others.</param>
/// <param name="Targets">How many recipients the other message has.</param>
public sealed record ExpandedEvent(DateTimeOffset At, string QueueId, string? Into, ImmutableArray<string> Recipients, int Targets)
    : AuditEvent(At)
{
    /// <summary>Recipients beside those that are named.</summary>
    public int MoreRecipients { get; init; }

    /// <summary>The reverse-path of the other message, where it is that of a list's owner; null where it is the sender's.</summary>
    public string? Owner { get; init; }

    public override string Name => Type.Name;

    public override AuditKind Kind => AuditKind.Mail;

    internal static EventType Type { get; } = new("expanded", static line =>
        new ExpandedEvent(line.At, line.Text("queue_id"), line.Maybe("into"), line.List("recipients"), line.Count("targets"))
        {
            MoreRecipients = line.MaybeNumber("more_recipients") ?? 0,
            Owner = line.Maybe("owner"),
        });

    internal override string Key => Into is null ? $"{QueueId}\n{At.UtcTicks}" : $"{QueueId}\n{Into}";

    internal override EventTraits Traits => new()
    {
        QueueId = QueueId,
        Recipients = Recipients,
        Outcome = Name,
        ContinuesMessage = true,
    };

    private protected override long TextOctets =>
        OctetsOf(QueueId, Into, Owner) + OctetsOf(Recipients.IsDefault ? [] : Recipients.AsSpan());

    public override string[] ToCells() =>
    [
        Name,
        QueueId,
        RecipientText,
        "-",
        Into is null
            ? "nobody is left to send it to"
            : string.Create(
                CultureInfo.InvariantCulture, $"{Into}: {Targets} recipients{(Owner is null ? null : $", reports go to {Owner}")}"),
    ];

    internal override void WriteTo(EventFields fields)
    {
        fields.Texts(("queue_id", QueueId), ("into", Into));
        fields.List("recipients", Recipients, AuditEvents.MostRecipients);
        var more = MoreRecipients + Math.Max(0, (Recipients.IsDefault ? 0 : Recipients.Length) - AuditEvents.MostRecipients);
        fields.Number("more_recipients", more > 0 ? more : null);
        fields.Number("targets", Targets);
        fields.Texts(("owner", Owner));
    }

    private string RecipientText => Recipients.IsDefaultOrEmpty ? "-"
        : Recipients.Length + MoreRecipients == 1 ? Recipients[0]
        : string.Create(CultureInfo.InvariantCulture, $"{Recipients[0]} and {Recipients.Length + MoreRecipients - 1} more");
}
