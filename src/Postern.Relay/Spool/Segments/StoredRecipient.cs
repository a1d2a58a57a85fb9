namespace Postern.Relay.Spool.Segments;

/// <summary><see cref="RecipientState"/> as it is written.</summary>
internal sealed record StoredRecipient(RecipientStatus Status, string? Reply)
{
    public int Attempt { get; init; }
}
