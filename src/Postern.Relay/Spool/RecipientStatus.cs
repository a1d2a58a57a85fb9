namespace Postern.Relay.Spool;

/// <summary>Whether a recipient still wants a delivery attempt.</summary>
public enum RecipientStatus
{
    Pending,
    Delivered,
    Failed,
}
