namespace Postern.Relay.Audit.Events;

/// <summary>The content was refused at the end of data, or the transaction was given up there.</summary>
public sealed record RefusedEvent(DateTimeOffset At, EventOrigin Origin, string Verb, string Reply) : SessionEvent(At, Origin)
{
    public override string Name => Type.Name;

    public override AuditKind Kind => AuditKind.Mail;

    internal static EventType Type { get; } = new(
        "refused", static line => new RefusedEvent(line.At, line.Origin, line.Text("verb"), line.Text("reply")));

    internal override string Key => $"{Session}\n{At.UtcTicks}";

    internal override EventTraits Traits => new() { Session = Session, Client = Client, User = User, Tenant = Tenant, Outcome = Name };

    private protected override long TextOctets => OriginOctets + OctetsOf(Reply);

    public override string[] ToCells() => [Name, "-", User ?? "-", Client, $"{Verb}: {Reply}"];

    internal override void WriteTo(EventFields fields) => fields.Texts(
        ("session", Session),
        ("listener", Listener),
        ("client", Client),
        ("user", User),
        ("verb", Verb),
        ("reply", Reply),
        ("tls", Tls),
        ("tenant", Tenant));
}
