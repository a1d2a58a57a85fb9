namespace Postern.Relay.Audit;

/// <summary>What an event can be found by; null where the event has no such thing.</summary>
internal readonly record struct AuditTraits(string? Session, string? Client, string? User, string? ActingAs, string? Ref, string? QueueId, string? Outcome = null)
{
    public static AuditTraits Of(AuditEvent audit) => audit switch
    {
        AuditEvent.Login login => new(login.Session, login.Client, login.User, login.ActingAs, Ref: null, QueueId: null, login.Outcome),
        AuditEvent.Decision decision => new(decision.Session, decision.Client, decision.User, ActingAs: null, decision.Ref, QueueId: null, decision.Outcome),
        AuditEvent.Accepted accepted => new(accepted.Session, accepted.Client, accepted.User, ActingAs: null, Ref: null, accepted.QueueId, "accepted"),
        AuditEvent.Refused refused => new(refused.Session, refused.Client, refused.User, ActingAs: null, Ref: null, QueueId: null, "refused"),
        AuditEvent.Coalesced coalesced => new(Session: null, coalesced.Client, coalesced.User, ActingAs: null, coalesced.Ref, QueueId: null),
        AuditEvent.Delivery delivery => default(AuditTraits) with { QueueId = delivery.QueueId, Outcome = delivery.Outcome },
        AuditEvent.Bounce bounce => default(AuditTraits) with { QueueId = bounce.QueueId, Outcome = "bounce" },
        AuditEvent.Admin admin => default(AuditTraits) with { User = admin.Actor },
        _ => default,
    };
}
