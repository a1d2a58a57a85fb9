using System.Globalization;

namespace Postern.Relay.Audit.Events;

/// <summary>Events like others before them, which were counted and not written. Stands in the file of the kind that it counts.</summary>
/// <param name="Counted">Of which kind the events were.</param>
/// <param name="What">
/// The stage of a decision, the outcome of a login, the name of a server event; <c>others</c> where there were too many.
/// </param>
/// <param name="Since">When the first of them came.</param>
public sealed record CoalescedEvent(DateTimeOffset At, AuditKind Counted, string What, long Count, DateTimeOffset Since) : AuditEvent(At)
{
    /// <summary>The address of the first; of IPv6 it stands for its /64. Null where there were too many places to tell apart.</summary>
    public string? Client { get; init; }

    public string? User { get; init; }

    /// <summary>The rule or the verb.</summary>
    public string? Detail { get; init; }

    /// <summary>The code of the reply; null without one.</summary>
    public int? Code { get; init; }

    /// <summary>The reference that the replies had: of the decision that was written.</summary>
    public string? Ref { get; init; }

    public override string Name => Type.Name;

    public override AuditKind Kind => Counted;

    internal static EventType Type { get; } = new("coalesced", static line =>
        new CoalescedEvent(
            line.At, AuditKinds.OfWord(line.Text("kind")) ?? AuditKind.Server, line.Text("what"), line.Number("count"), line.Time("since"))
        {
            Client = line.Maybe("client"),
            User = line.Maybe("user"),
            Detail = line.Maybe("detail"),
            Code = line.MaybeNumber("code"),
            Ref = line.Maybe("ref"),
        });

    internal override string Key => $"{Counted}\n{Client}\n{User}\n{What}\n{Detail}\n{Code}\n{Since.UtcTicks}\n{At.UtcTicks}";

    internal override EventTraits Traits => new() { Client = Client, User = User, Ref = Ref };

    private protected override long TextOctets => 0;

    public override string[] ToCells() => Counted switch
    {
        AuditKind.Auth => [Name, User ?? Detail ?? "-", "-", Client ?? "-", "-", "-", ToSentence()],
        AuditKind.Policy => [Ref ?? "-", Name, Detail ?? "-", Client ?? "-", User ?? "-", "-", "-", ToSentence()],
        AuditKind.Mail => [Name, "-", User ?? "-", Client ?? "-", ToSentence()],
        _ => [Name, ToSentence()],
    };

    /// <summary>What was counted and not written, in a sentence.</summary>
    public string ToSentence() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Count} more like it "
            + $"({string.Join(' ', new[] { What, Detail, Code?.ToString(CultureInfo.InvariantCulture) }.OfType<string>())}) from "
            + $"{Client ?? "many places"} since {Since.UtcDateTime:yyyy-MM-dd HH:mm:ss'Z'}");

    internal override void WriteTo(EventFields fields)
    {
        fields.Texts(("kind", Counted.ToWord()), ("client", Client), ("user", User), ("what", What), ("detail", Detail));
        fields.Number("code", Code);
        fields.Texts(("ref", Ref));
        fields.Number("count", Count);
        fields.Time("since", Since);
    }
}
