namespace Postern.Relay.Spool;

/// <summary>One recipient's fate so far; <paramref name="LastReply"/> is what the last attempt ended with, for people to read.</summary>
public sealed record RecipientState(RecipientStatus Status, string? LastReply)
{
    /// <summary>At most 1 KiB; cut also when it is read from a spool of an older version.</summary>
    public string? LastReply { get; init; } = LastReply is null ? null : RemoteText.Cut(LastReply);

    /// <summary>The attempt that it was delivered or failed in; 0 while it is pending, and in what older versions wrote.</summary>
    public int Attempt { get; init; }

    public static RecipientState Pending { get; } = new(RecipientStatus.Pending, LastReply: null);
}
