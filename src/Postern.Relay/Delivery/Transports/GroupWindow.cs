using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// How many messages may be on their way at a time on one session. One to a host that is near, as there is nothing to gain; more the
/// farther it is, and only while its answers come at once: what is sent cannot be given to another connection any more. Used by one caller
/// at a time.
/// </summary>
/// <param name="most">What the route allows.</param>
/// <param name="far">A host whose answers take so long is far.</param>
internal sealed class GroupWindow(
    SmtpClientDialogue dialogue, string remote, GroupTrust trust, int most, TimeSpan far, TimeProvider clock)
{
    private const int First = 2;

    /// <summary>Whoever needed so long for an answer gets one message after another until it is quicker.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);

    /// <summary>A connection that has rested for so long may have been closed by the other side: one message finds out.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private int window = First;
    private bool isQuick;
    private long answeredAt;

    /// <summary>Groups are the better way there, as far as is known; then no envelope is sent ahead of its message.</summary>
    public bool IsUsable => most > 1 && dialogue.RoundTrip >= far && dialogue.OffersGroups && trust.IsFit(remote) != false;

    /// <summary>Whether the next messages may go as a group, and how many.</summary>
    public int Room => isQuick && IsUsable && clock.GetElapsedTime(answeredAt) < Fresh ? Math.Min(window, Enough) : 1;

    /// <summary>Keeps a connection busy without a pause, about.</summary>
    private int Enough => far == TimeSpan.Zero ? most : (int)Math.Clamp(2 * (dialogue.RoundTrip / far), First, most);

    /// <summary>So many messages that were sent at once have been answered.</summary>
    public void OnAnswered(TimeSpan took, int count)
    {
        isQuick = took < Slow + dialogue.RoundTrip;
        answeredAt = clock.GetTimestamp();
        window = !isQuick ? First : count > 1 ? Math.Min(most, 2 * window) : window;
    }

    /// <summary>Whether the host keeps step; false where it does not, or where that is not known yet.</summary>
    /// <param name="findsOut">Ask it now, where nobody else does. Where it does not keep step, the dialogue is over.</param>
    public async ValueTask<bool> IsProvenAsync(bool findsOut, CancellationToken ct)
    {
        if (trust.IsFit(remote) is { } isFit)
            return isFit;
        if (!findsOut || !trust.Begin(remote))
            return false;
        if (await dialogue.ProveGroupsAsync(ct).ConfigureAwait(false))
            trust.Prove(remote);
        else
            trust.Fail(remote, "it offers CHUNKING, and does not pass over a chunk that it refuses");
        return dialogue.IsOpen;
    }

    /// <summary>An envelope may be sent ahead of its message.</summary>
    public bool MaySendAhead => !trust.HasLostStep(remote);

    public void Fail(string why) => trust.Fail(remote, why);
}
