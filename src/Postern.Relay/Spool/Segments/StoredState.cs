namespace Postern.Relay.Spool.Segments;

/// <summary><see cref="DeliveryState"/> as it is written (docs/spool-format.md). Null <see cref="Recipients"/> means all pending, none tried.</summary>
internal sealed record StoredState(int Attempts, DateTimeOffset Next, bool Held, DelayReports Reported, StoredRecipient[]? Recipients)
{
    public DateTimeOffset? HeldByServer { get; init; }

    public static StoredState Of(DeliveryState state) => new(
        state.Attempts,
        state.NextAttempt,
        state.Held,
        state.Reported,
        state.Recipients.All(static r => r == RecipientState.Pending)
            ? null
            : [.. state.Recipients.Select(static r => new StoredRecipient(r.Status, r.LastReply))]) { HeldByServer = state.HeldByServerAt };

    /// <exception cref="FormatException">Not for so many recipients.</exception>
    public DeliveryState ToState(int recipients)
    {
        if (Recipients is null)
            return DeliveryState.Fresh(recipients, Next) with { Attempts = Attempts, Held = Held, Reported = Reported, HeldByServerAt = HeldByServer };
        if (Recipients.Length != recipients)
            throw new FormatException($"a state of {Recipients.Length} recipients for a message of {recipients}");
        return new DeliveryState(Attempts, Next, Held, [.. Recipients.Select(static r => new RecipientState(r.Status, r.Reply))]) { Reported = Reported, HeldByServerAt = HeldByServer };
    }
}
