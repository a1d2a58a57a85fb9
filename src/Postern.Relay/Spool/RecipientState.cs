namespace Postern.Relay.Spool;

/// <summary>One recipient's fate so far; <paramref name="LastReply"/> is what the last attempt ended with, for people to read.</summary>
public sealed record RecipientState(RecipientStatus Status, string? LastReply)
{
    public static RecipientState Pending { get; } = new(RecipientStatus.Pending, LastReply: null);
}
