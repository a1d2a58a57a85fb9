using System.Globalization;

namespace Postern.Relay.Audit.Events;

/// <summary>
/// Somebody came near a limit, or over it. Told when it begins and seldom again while it lasts, not for each thing that is refused: those
/// have events of their own.
/// </summary>
/// <param name="Limit">Which, from a closed list: login_messages, client_recipients, logins, connections and so on.</param>
/// <param name="Whose">The account, address or network that it is counted for; <c>all</c> where it is for all together.</param>
public sealed record LimitEvent(DateTimeOffset At, string Limit, LimitState State, string Whose) : AuditEvent(At)
{
    /// <summary>How much is allowed, as it is configured; null where that is not known here.</summary>
    public string? Allowed { get; init; }

    /// <summary>How much of it is used; null where that is not known here.</summary>
    public long? Used { get; init; }

    public string? Listener { get; init; }

    /// <summary>The address of the client that came to it; null where no single one did.</summary>
    public string? Client { get; init; }

    public string? User { get; init; }

    public string? Tenant { get; init; }

    public override string Name => Type.Name;

    public override AuditKind Kind => AuditKind.Server;

    internal static EventType Type { get; } = new("limit", static line =>
        new LimitEvent(line.At, line.Text("limit"), line.Word<LimitState>("state"), line.Text("whose"))
        {
            Allowed = line.Maybe("allowed"),
            Used = line.MaybeLong("used"),
            Listener = line.Maybe("listener"),
            Client = line.Maybe("client"),
            User = line.Maybe("user"),
            Tenant = line.Maybe("tenant"),
        });

    internal override string Key => string.Create(CultureInfo.InvariantCulture, $"{Limit}\n{EventWord.Of(State)}\n{Whose}\n{At.UtcTicks}");

    internal override EventTraits Traits => new() { Client = Client, User = User, Tenant = Tenant, Outcome = EventWord.Of(State) };

    private protected override long TextOctets => OctetsOf(Whose, Allowed, Listener, Client, User, Tenant);

    public override string[] ToCells()
    {
        var used = Used is { } count && Allowed is not null ? string.Create(CultureInfo.InvariantCulture, $", {count} of {Allowed} used")
            : Allowed is null ? null
            : $", {Allowed}";
        return [Name, $"{Limit} {EventWord.Of(State)}: {Whose}{used}"];
    }

    internal override void WriteTo(EventFields fields)
    {
        fields.Texts(("limit", Limit), ("state", EventWord.Of(State)), ("whose", Whose), ("allowed", Allowed));
        fields.Number("used", Used);
        fields.Texts(("listener", Listener), ("client", Client), ("user", User), ("tenant", Tenant));
    }
}

/// <summary>How somebody stands to a limit.</summary>
public enum LimitState
{
    /// <summary>Most of it is used; what comes is still taken, or taken more slowly.</summary>
    Warned,

    /// <summary>What comes is refused or put off.</summary>
    Exceeded,
}
