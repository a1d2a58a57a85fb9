using Postern.Relay.Admin;
using Postern.Relay.Audit.Events;

namespace Postern.Web.Access;

/// <summary>Who calls, and what that gives. It is found by the door, and never read from what the request says of itself.</summary>
/// <param name="Name">As the log has it: an operator's name, <c>key ID</c>, <c>uid 1000</c>.</param>
internal sealed record Caller(string Name, Scopes Scopes, AdminDoor Door)
{
    /// <summary>Whoever has not shown who he is.</summary>
    public static readonly Caller Nobody = new(string.Empty, Scopes.None, AdminDoor.Api);

    /// <summary>The tenant beyond which nothing is seen; null for who sees the whole server.</summary>
    public string? Tenant { get; init; }

    /// <summary>The account as which a key sends; null for none.</summary>
    public string? Account { get; init; }

    /// <summary>The address of a call that came over the network; null for one on this machine.</summary>
    public string? Client { get; init; }

    /// <summary>When a person last proved to be the one; null for callers who prove it with each call.</summary>
    public DateTimeOffset? ProvedAt { get; init; }

    /// <summary>What calls are counted by: the key, else the session, else the address.</summary>
    public string Budget { get; init; } = string.Empty;

    public bool IsNobody => Scopes == Scopes.None;

    public bool May(Scopes scope) => scope != Scopes.None && (Scopes & scope) == scope;

    /// <summary>As changes are written down.</summary>
    public Operator ToOperator() => new(Name, Door, Client);
}
