using System.Collections.Immutable;

namespace Postern.Relay.Audit;

/// <summary>The kind of each event, and the word for each kind.</summary>
internal static class AuditKinds
{
    public static ImmutableArray<AuditKind> Each { get; } = [AuditKind.Auth, AuditKind.Mail, AuditKind.Policy, AuditKind.Admin, AuditKind.Server];

    public static AuditKind Of(AuditEvent audit) => audit switch
    {
        AuditEvent.Login => AuditKind.Auth,
        AuditEvent.Decision => AuditKind.Policy,
        AuditEvent.Accepted or AuditEvent.Refused or AuditEvent.Delivery or AuditEvent.Bounce => AuditKind.Mail,
        AuditEvent.Admin => AuditKind.Admin,
        AuditEvent.Coalesced coalesced => OfWord(coalesced.Kind),
        _ => AuditKind.Server,
    };

    private static AuditKind OfWord(string word)
    {
        foreach (var kind in Each)
        {
            if (kind.ToWord() == word)
                return kind;
        }

        return AuditKind.Server;
    }

    public static string ToWord(this AuditKind kind) => kind switch
    {
        AuditKind.Auth => "auth",
        AuditKind.Mail => "mail",
        AuditKind.Policy => "policy",
        AuditKind.Admin => "admin",
        _ => "server",
    };
}
