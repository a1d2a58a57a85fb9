using System.Buffers;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Envelopes;

/// <summary>
/// The mailboxes of a From or Sender field (RFC 5322 §3.4.1), without copying. Only what has one reading is read: groups, routes, spaces
/// inside an address and whatever else some program takes for something different make the field no list.
/// </summary>
internal ref struct MailboxList(ReadOnlySpan<byte> body)
{
    private static readonly SearchValues<byte> AtomOctets = SearchValues.Create(
        [
            .. "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~."u8,
            .. Enumerable.Range(128, 128).Select(static c => (byte)c),
        ]);

    private readonly ReadOnlySpan<byte> octets = body;
    private int at;

    /// <summary>The present one, without name and angle brackets.</summary>
    public ReadOnlySpan<byte> Address { get; private set; }

    /// <summary>Everything was read, up to the end of the field.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>The domain of the first mailbox of a whole field, name and all; null where the field is no list.</summary>
    public static Domain? DomainOf(ReadOnlySpan<byte> field)
    {
        var mailboxes = new MailboxList(field[(field.IndexOf((byte)':') + 1)..]);
        Domain? domain = null;
        while (mailboxes.TryNext())
        {
            if (!Mailbox.TryParse(mailboxes.Address, out var mailbox))
                return null;
            domain ??= mailbox.Domain;
        }

        return mailboxes.IsWhole ? domain : null;
    }

    /// <summary>Goes to the next mailbox; false behind the last, and where the field is no list.</summary>
    public bool TryNext()
    {
        if (IsWhole || !TryReadMailbox() || !SkipGap())
            return false;
        if (at == octets.Length)
            IsWhole = true;
        else if (octets[at++] != ',')
            return false;
        return true;
    }

    private bool TryReadMailbox()
    {
        if (!SkipGap())
            return false;
        var (words, end, start) = (0, 0, at);
        while (at < octets.Length)
        {
            switch (octets[at])
            {
                case (byte)'<':
                    start = ++at;
                    if (!SkipWord() || !SkipDomain() || at == octets.Length || octets[at] != '>')
                        return false;
                    Address = octets[start..at++];
                    return true;
                case (byte)'@':
                    // Without brackets there is no name: one word, which the sign touches.
                    if (words != 1 || end != at || !SkipDomain())
                        return false;
                    Address = octets[start..at];
                    return true;
            }

            if (!SkipWord())
                return false;
            (words, end) = (words + 1, at);
            if (!SkipGap())
                return false;
        }

        return false;
    }

    /// <summary>An @ and a domain or an address literal.</summary>
    private bool SkipDomain()
    {
        if (at == octets.Length || octets[at] != '@')
            return false;
        at++;
        if (at == octets.Length || octets[at] != '[')
            return SkipAtoms();
        var length = octets[at..].IndexOf((byte)']');
        at += length + 1;
        return length > 0;
    }

    private bool SkipWord() => at < octets.Length && (octets[at] == '"' ? SkipQuoted() : SkipAtoms());

    private bool SkipAtoms()
    {
        var length = octets[at..].IndexOfAnyExcept(AtomOctets);
        var start = at;
        at = length < 0 ? octets.Length : at + length;
        return at > start;
    }

    private bool SkipQuoted()
    {
        for (at++; at < octets.Length; at++)
        {
            if (octets[at] == '"')
            {
                at++;
                return true;
            }

            if (IsControl(octets[at]) || (octets[at] == '\\' && ++at == octets.Length))
                return false;
        }

        return false;
    }

    /// <summary>Spaces, folding and comments; false for a comment without an end and for control characters.</summary>
    private bool SkipGap()
    {
        for (var depth = 0; at < octets.Length; at++)
        {
            var octet = octets[at];
            if (IsControl(octet))
                return false;
            if (octet == '(')
                depth++;
            else if (octet == ')' && depth > 0)
                depth--;
            else if (octet == '\\' && depth > 0)
                at++;
            else if (depth == 0 && octet is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
                return true;
            if (at >= octets.Length - 1 && depth > 0)
                return false;
        }

        return true;
    }

    private static bool IsControl(byte octet) => octet is < 32 and not ((byte)'\t' or (byte)'\r' or (byte)'\n') or 127;
}
