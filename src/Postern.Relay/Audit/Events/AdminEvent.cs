using System.Collections.Immutable;

namespace Postern.Relay.Audit.Events;

/// <summary>An operator changed something.</summary>
/// <param name="Actor">The system user, or the operator's name.</param>
public sealed record AdminEvent(DateTimeOffset At, string Actor, string Action, string Target) : AuditEvent(At)
{
    /// <summary>Null where it was not noted.</summary>
    public AdminDoor? Via { get; init; }

    /// <summary>The address that the operator came from; null on this machine.</summary>
    public string? Client { get; init; }

    /// <summary>What is common to all that one command changed; null where it changed one thing.</summary>
    public string? Ref { get; init; }

    public ImmutableArray<AdminChange> Changes { get; init; } = [];

    public override string Name => Type.Name;

    public override AuditKind Kind => AuditKind.Admin;

    internal static EventType Type { get; } = new("admin", static line =>
        new AdminEvent(line.At, line.Text("actor"), line.Text("action"), line.Text("target"))
        {
            Via = line.MaybeWord<AdminDoor>("via"),
            Client = line.Maybe("client"),
            Ref = line.Maybe("ref"),
            Changes = line.Changes("changes"),
        });

    internal override string Key => $"{Actor}\n{Action}\n{Target}\n{At.UtcTicks}";

    internal override EventTraits Traits => new()
    {
        User = Actor,
        Client = Client,
        Ref = Ref,
        QueueId = Envelopes.QueueId.TryParse(Target, out _) ? Target : null,
    };

    private protected override long TextOctets
    {
        get
        {
            var octets = OctetsOf(Actor, Action, Target, Client, Ref);
            foreach (var change in Changes.IsDefault ? [] : Changes)
                octets += OctetsOf(change.Field, change.Before, change.After);
            return octets;
        }
    }

    public override string[] ToCells() =>
        [Ref ?? string.Empty, Actor, Action, Changes.IsDefaultOrEmpty ? Target : $"{Target} ({string.Join("; ", Changes.Select(Text))})"];

    private static string Text(AdminChange change) => $"{change.Field}: {change.Before ?? "-"} to {change.After ?? "-"}";

    internal override void WriteTo(EventFields fields)
    {
        fields.Texts(("actor", Actor), ("action", Action), ("target", Target), ("via", EventWord.Of(Via)), ("client", Client));
        fields.Texts(("ref", Ref));
        if (!Changes.IsDefaultOrEmpty)
            fields.Changes("changes", Changes);
    }
}

/// <summary>By which door an operator came.</summary>
public enum AdminDoor
{
    Console,
    Api,
    Socket,
    Cli,
}

/// <summary>One field that was changed, with what it was and what it is; null for nothing. Never a secret.</summary>
public sealed record AdminChange(string Field, string? Before, string? After);
