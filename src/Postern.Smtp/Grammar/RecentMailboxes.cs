using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>
/// The mailboxes that one session named last. A client that sends message after message names the same ones, and they are parsed once.
/// </summary>
internal sealed class RecentMailboxes
{
    private readonly Mailbox?[] recent = new Mailbox?[4];
    private int next;

    /// <summary>As <see cref="Mailbox.TryParse(ReadOnlySpan{byte}, out Mailbox?)"/>.</summary>
    public bool TryParse(ReadOnlySpan<byte> octets, [NotNullWhen(true)] out Mailbox? mailbox)
    {
        foreach (var known in recent)
        {
            if (known is not null && Ascii.Equals(octets, known.Address))
            {
                mailbox = known;
                return true;
            }
        }

        if (!Mailbox.TryParse(octets, out mailbox))
            return false;
        recent[next] = mailbox;
        next = (next + 1) % recent.Length;
        return true;
    }
}
