using System.Text;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;

namespace Postern.Relay.Runtime;

/// <summary>
/// A header whose author is another from now on: one From field with the new address, under the name that the old one had; what the old
/// ones said becomes Reply-To, unless the message has one, so that an answer still comes to whom its writer meant.
/// </summary>
/// <param name="Removed">
/// What is left out of the section, in order: as reviewed, and each From and Sender; but no Sender of a message that was sent again, which
/// belongs to the first sending (RFC 5322 §3.6.6).
/// </param>
/// <param name="Fields">What is written in its place.</param>
internal sealed record AuthorRewrite(Mailbox Author, IReadOnlyList<Range> Removed, ReadOnlyMemory<byte> Fields)
{
    /// <summary>Null where nothing is to change: nobody asks for it, or the address is the only author already.</summary>
    public static AuthorRewrite? Of(ReadOnlySpan<byte> section, HeaderReview review, Mailbox? author)
    {
        if (author is null)
            return null;
        var removed = new List<Range>(review.Removed);
        var (authors, name, hasReplyTo, isReadable, isOnly) = (new List<string>(), string.Empty, false, true, true);
        var isSentAgain = HasResent(section);
        var fields = new HeaderSection(section);
        while (fields.TryNext())
        {
            hasReplyTo |= fields.Is("Reply-To");
            var isFrom = fields.Is("From");
            if (!isFrom && (isSentAgain || !fields.Is("Sender")))
                continue;
            var range = fields.Start..fields.End;
            if (!removed.Contains(range))
                removed.Add(range);
            if (!isFrom)
                continue;
            var mailboxes = new MailboxList(fields.Body);
            while (mailboxes.TryNext())
                isOnly &= Mailbox.TryParse(mailboxes.Address, out var one) && one.Canonical == author.Canonical;
            isReadable &= mailboxes.IsWhole;
            var text = Unfolded(fields.Body);
            if (authors.Count == 0)
                name = NameIn(text);
            authors.Add(text);
        }

        if (authors.Count == 1 && isReadable && isOnly)
            return null;
        removed.Sort(static (one, other) => one.Start.Value.CompareTo(other.Start.Value));
        var written = new StringBuilder();
        var address = Latin(author.Address);
        HeaderField.Append(written, "From", isReadable && name.Length > 0 ? [.. name.Split(' '), $"<{address}>"] : [address]);
        if (isReadable && authors.Count > 0 && !hasReplyTo)
            HeaderField.Append(written, "Reply-To", string.Join(", ", authors).Split(' '));
        return new AuthorRewrite(author, removed, Encoding.Latin1.GetBytes(written.ToString()));
    }

    private static bool HasResent(ReadOnlySpan<byte> section)
    {
        var fields = new HeaderSection(section);
        while (fields.TryNext())
        {
            if (fields.Name.Length > 7 && Ascii.EqualsIgnoreCase(fields.Name[..7], "Resent-"u8))
                return true;
        }

        return false;
    }

    /// <summary>Octets as they are, a character each, on one line.</summary>
    private static string Unfolded(ReadOnlySpan<byte> body) =>
        Encoding.Latin1.GetString(body.Trim(" \t\r\n"u8)).Replace("\r\n", string.Empty, StringComparison.Ordinal).Replace('\t', ' ');

    /// <summary>What stands before the address of a single mailbox; empty without.</summary>
    private static string NameIn(string text)
    {
        var mailboxes = new MailboxList(Encoding.Latin1.GetBytes(text));
        var bracket = text.LastIndexOf('<');
        return mailboxes.TryNext() && mailboxes.IsWhole && bracket > 0 && text.EndsWith('>') ? text[..bracket].Trim() : string.Empty;
    }

    private static string Latin(string address) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(address));
}
