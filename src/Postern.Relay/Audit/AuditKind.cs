namespace Postern.Relay.Audit;

/// <summary>What an event is about, and so which file holds it. Flags, so that a search can name several.</summary>
[Flags]
public enum AuditKind
{
    None = 0,

    /// <summary>Logins.</summary>
    Auth = 1,

    /// <summary>Messages accepted, refused, delivered, bounced.</summary>
    Mail = 2,

    /// <summary>Decisions.</summary>
    Policy = 4,

    /// <summary>What operators changed.</summary>
    Admin = 8,

    /// <summary>The server itself.</summary>
    Server = 16,

    All = Auth | Mail | Policy | Admin | Server,
}
