using Postern.Smtp.Replies;

namespace Postern.Smtp.Client;

/// <summary>
/// Whether a reply to a command that was sent ahead refuses that it came then, and not what it says: some servers take nothing that is
/// pipelined behind a message, to be safe from messages whose end they see elsewhere than their sender does. No message fails for that.
/// </summary>
internal static class OrderRefusal
{
    private static readonly EnhancedStatus Protocol = new(5, 5, 0);
    private static readonly EnhancedStatus BadSequence = new(5, 5, 1);

    public static bool Is(Reply reply) =>
        reply.Code is >= 500 and <= 504 || reply.Status == Protocol || reply.Status == BadSequence;
}
