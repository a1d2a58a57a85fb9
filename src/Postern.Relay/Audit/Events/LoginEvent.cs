using Postern.Sasl;

namespace Postern.Relay.Audit.Events;

/// <summary>A finished AUTH.</summary>
public sealed record LoginEvent(DateTimeOffset At, EventOrigin Origin, string Mechanism, AuthOutcome Outcome, string Reason)
    : SessionEvent(At, Origin)
{
    /// <summary>The identity that the user acts as, where it is another one.</summary>
    public string? ActingAs { get; init; }

    /// <summary>
    /// The number of the user's credential in the directory, <c>#7</c>: the one that logged in, or whose secret was right and which may not
    /// be used there. Null where none was right, and for other stores.
    /// </summary>
    public string? Credential { get; init; }

    /// <summary>
    /// The protocol that the client logs in to, where another server asks on its behalf; null where it logs in here.
    /// </summary>
    public string? Service { get; init; }

    public override string Name => Type.Name;

    public override AuditKind Kind => AuditKind.Auth;

    internal static EventType Type { get; } = new("login", static line =>
        new LoginEvent(line.At, line.Origin, line.Text("mechanism"), line.Word<AuthOutcome>("outcome"), line.Text("reason"))
        {
            ActingAs = line.Maybe("acting_as"),
            Credential = line.Maybe("credential"),
            Service = line.Maybe("service"),
        });

    internal override string Key => $"{Session}\n{At.UtcTicks}";

    internal override EventTraits Traits => new()
    {
        Session = Session,
        Client = Client,
        User = User,
        ActingAs = ActingAs,
        Tenant = Tenant,
        Outcome = EventWord.Of(Outcome),
        Credential = Credential,
    };

    /// <summary>What an exchange that was not successful came to; null for one that was given up.</summary>
    internal static AuthOutcome OutcomeOf(SaslError? error) => error switch
    {
        SaslError.TemporaryFailure or SaslError.TooMany => AuthOutcome.Unavailable,
        SaslError.Malformed => AuthOutcome.Malformed,
        SaslError.BadCredentials => AuthOutcome.Failed,
        SaslError.TooWeak => AuthOutcome.TooWeak,
        SaslError.TransitionNeeded => AuthOutcome.TransitionNeeded,
        _ => AuthOutcome.Cancelled,
    };

    private protected override long TextOctets => OriginOctets + OctetsOf(ActingAs, Credential, Reason, Service);

    public override string[] ToCells() =>
    [
        EventWord.Of(Outcome),
        ActingAs is null ? User ?? "-" : $"{User} as {ActingAs}",
        Mechanism,
        Client,
        Listener,
        Tls ?? "-",
        Credential is null || Outcome != AuthOutcome.Ok ? Reason : $"{Reason}, by credential {Credential}",
    ];

    internal override void WriteTo(EventFields fields)
    {
        fields.Texts(
            ("session", Session),
            ("listener", Listener),
            ("client", Client),
            ("service", Service),
            ("mechanism", Mechanism),
            ("user", User),
            ("acting_as", ActingAs),
            ("credential", Credential));
        fields.Texts(("outcome", EventWord.Of(Outcome)), ("reason", Reason), ("tls", Tls), ("tenant", Tenant));
        fields.Number("port", Origin.Port);
    }
}

/// <summary>How a login ended.</summary>
public enum AuthOutcome
{
    Ok,

    Failed,

    /// <summary>It could not be checked.</summary>
    Unavailable,

    /// <summary>The client gave it up.</summary>
    Cancelled,

    Malformed,

    /// <summary>The mechanism is too weak for this user.</summary>
    TooWeak,

    /// <summary>The user must log in once by another mechanism.</summary>
    TransitionNeeded,

    /// <summary>Neither a login nor a failed one: who comes by ANONYMOUS has proven nothing.</summary>
    Anonymous,
}
