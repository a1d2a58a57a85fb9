using System.Collections.Immutable;

namespace Postern.Relay.Audit.Events;

/// <summary>A policy decision with the whole chain that led to it; found again by <paramref name="Ref"/>.</summary>
/// <param name="Stage">sender, recipient and so on.</param>
/// <param name="Rule">The rule that decided.</param>
/// <param name="Sender">Empty for the null sender.</param>
public sealed record DecisionEvent(
    DateTimeOffset At,
    EventOrigin Origin,
    string Ref,
    string Stage,
    DecisionOutcome Outcome,
    string Rule,
    string Sender,
    string? Recipient)
    : SessionEvent(At, Origin)
{
    /// <summary>What the client was told; null where it was permitted.</summary>
    public string? Reply { get; init; }

    /// <summary>Every rule asked, in order.</summary>
    public ImmutableArray<RuleStep> Chain { get; init; } = [];

    /// <summary>The id of the configuration that decided; null where it is not known.</summary>
    public string? Config { get; init; }

    /// <summary>The number of the directory's credential that proved the login, <c>#7</c>; null where there is none.</summary>
    public string? Credential { get; init; }

    /// <summary>Whose credential the login is, where it acts for another; null where it does not.</summary>
    public string? ProvenBy { get; init; }

    /// <summary>SHA-256 of the certificate that the client showed, 64 lower-case hexadecimal digits; null for none.</summary>
    public string? Certificate { get; init; }

    /// <summary>The name that the client gave at HELO or EHLO.</summary>
    public string? Helo => Origin.Helo;

    public override string Name => Type.Name;

    public override AuditKind Kind => AuditKind.Policy;

    internal static EventType Type { get; } = new("decision", static line =>
        new DecisionEvent(
            line.At,
            line.Origin,
            line.Text("ref"),
            line.Text("stage"),
            line.Word<DecisionOutcome>("outcome"),
            line.Text("rule"),
            line.Text("sender"),
            line.Maybe("recipient"))
        {
            Reply = line.Maybe("reply"),
            Chain = line.List(
                "chain", static step => new RuleStep(step.Text("rule"), step.Text("saw"), step.Text("said"), step.Maybe("remedy"))
                {
                    Stage = step.Maybe("stage"),
                    In = step.Maybe("in"),
                }),
            Config = line.Maybe("config"),
            Credential = line.Maybe("credential"),
            ProvenBy = line.Maybe("proven_by"),
            Certificate = line.Maybe("certificate"),
        });

    internal override string Key => $"{Session}\n{Ref}\n{Stage}\n{At.UtcTicks}";

    internal override EventTraits Traits => new()
    {
        Session = Session,
        Client = Client,
        User = User,
        Tenant = Tenant,
        Ref = Ref,
        Outcome = EventWord.Of(Outcome),
        Rule = Rule,
        Sender = Sender,
        Recipient = Recipient,
    };

    private protected override long TextOctets
    {
        get
        {
            var octets = OriginOctets + OctetsOf(Sender, Recipient, Reply);
            foreach (var step in Chain.IsDefault ? [] : Chain)
                octets += OctetsOf(step.Saw, step.Remedy) + 256;
            return octets;
        }
    }

    public override string[] ToCells() =>
        [Ref, EventWord.Of(Outcome), Rule, Client, User ?? "-", Sender.Length == 0 ? "<>" : Sender, Recipient ?? "-", Reply ?? "-"];

    internal override void WriteTo(EventFields fields)
    {
        fields.Texts(
            ("ref", Ref), ("session", Session), ("listener", Listener), ("client", Client), ("helo", Helo), ("user", User), ("tls", Tls));
        fields.Texts(
            ("stage", Stage),
            ("sender", Sender),
            ("recipient", Recipient),
            ("outcome", EventWord.Of(Outcome)),
            ("rule", Rule),
            ("reply", Reply));
        fields.List(
            "chain",
            Chain,
            static (fields, step) => fields.Texts(
                ("rule", step.Rule),
                ("saw", step.Saw),
                ("said", step.Said),
                ("remedy", step.Remedy),
                ("stage", step.Stage),
                ("in", step.In)));
        fields.Texts(
            ("tenant", Tenant),
            ("config", Config),
            ("credential", Credential),
            ("proven_by", ProvenBy),
            ("certificate", Certificate));
    }
}

/// <summary>What a policy decision came to.</summary>
public enum DecisionOutcome
{
    Permit,
    Refuse,
}

/// <summary>
/// One rule that was asked: its name, what it looked at, what it said (permit, refuse, pass), and what would make it say permit.
/// </summary>
public sealed record RuleStep(string Rule, string Saw, string Said, string? Remedy)
{
    /// <summary>The stage at which it was asked; null for that of the decision.</summary>
    public string? Stage { get; init; }

    /// <summary>The list that has a name and asked it; null where the stage's own did.</summary>
    public string? In { get; init; }
}
