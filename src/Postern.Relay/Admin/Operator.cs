using Postern.Relay.Audit.Events;

namespace Postern.Relay.Admin;

/// <summary>Who changes something, for the log.</summary>
/// <param name="Name">The system user, or the operator's name.</param>
/// <param name="Via">By which door; null where that is not known.</param>
/// <param name="Client">The address that the operator came from; null on this machine.</param>
public sealed record Operator(string Name, AdminDoor? Via = null, string? Client = null)
{
    /// <summary>What the log has of a change.</summary>
    public AdminEvent Did(DateTimeOffset at, string action, string target, params ReadOnlySpan<AdminChange> changes) =>
        new(at, Name, action, target) { Via = Via, Client = Client, Changes = [.. changes] };
}
