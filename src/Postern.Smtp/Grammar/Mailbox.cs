using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>
/// A mailbox, <c>local-part@domain</c> (RFC 5321 §4.1.2, RFC 6531 §3.3). The local part is kept with the case it came in, and with the
/// least quoting that it needs, which the RFC asks of senders: <c>"lisa"@x</c> and <c>lisa@x</c> are the same mailbox and read the same. It
/// holds printable characters only, so it cannot carry CR, LF or NUL. Equality ignores case, as operators expect of addresses, and how a
/// character is composed. Beyond the RFC it takes what exists: a local part of any length that the path has room for, and dots at its ends
/// or beside each other without the quotes that they need. Such a one keeps its spelling, for its host knows no other, and is the same
/// mailbox as the one in quotes.
/// </summary>
public sealed class Mailbox : IEquatable<Mailbox>
{
    /// <summary>
    /// What every server has to take (RFC 5321 §4.5.3.1.1). Longer ones exist, made by programs, and are taken too unless somebody asks for
    /// <see cref="IsStrict"/>.
    /// </summary>
    public const int MaxLocalPartOctets = 64;

    /// <summary>Of a whole address: a path has 256 octets, its angle brackets included (RFC 5321 §4.5.3.1.3).</summary>
    public const int MaxOctets = 254;

    private string? canonical;

    private Mailbox(string localPart, Domain domain, string address)
    {
        LocalPart = localPart;
        Domain = domain;
        Address = address;
    }

    /// <summary>With the quotes that it needs, where it came with them.</summary>
    public string LocalPart { get; }

    /// <summary>Behind the last @.</summary>
    public Domain Domain { get; }

    /// <summary><c>local-part@domain</c>, ready to be written between angle brackets; the domain in A-labels.</summary>
    public string Address { get; }

    /// <summary>False where the local part needs SMTPUTF8 (RFC 6531) on its way.</summary>
    public bool IsAscii => Ascii.IsValid(Address);

    /// <summary>
    /// As RFC 5321 §4.1.2 and §4.5.3.1.1 have it: every dot between two atoms or in quotes, and no more than
    /// <see cref="MaxLocalPartOctets"/>.
    /// </summary>
    public bool IsStrict => !LocalParts.LacksQuotes(LocalPart) && Encoding.UTF8.GetByteCount(LocalPart) <= MaxLocalPartOctets;

    /// <summary>
    /// The form in which ownership is compared and counted: all lower case (RFC 5321 §2.4 advises so), composed (NFC), with every quote
    /// that the RFC wants.
    /// </summary>
    public string Canonical => canonical ??= Fold(LocalParts.LacksQuotes(LocalPart) ? $"\"{LocalPart}\"@{Domain.Text}" : Address);

    /// <summary>Parses UTF-8. Whether a mailbox beyond US-ASCII may be used is for the caller to decide (RFC 6531 §3.5).</summary>
    public static bool TryParse(ReadOnlySpan<byte> octets, [NotNullWhen(true)] out Mailbox? mailbox)
    {
        mailbox = null;
        if (octets.Length > MaxOctets || !LocalParts.TryMeasure(octets, out var length) || length == octets.Length || octets[length] != '@')
            return false;
        if (!Domain.TryParse(octets[(length + 1)..], out var domain) || !LocalParts.TryRead(octets[..length], out var localPart))
            return false;
        var address = $"{localPart}@{domain.Text}";
        var most = LocalParts.LacksQuotes(localPart) ? MaxOctets - 2 : MaxOctets; // the canonical form is a mailbox too
        if (address.Length > most || Encoding.UTF8.GetByteCount(address) > most)
            return false;
        mailbox = new Mailbox(localPart, domain, address);
        return true;
    }

    /// <summary>Parses a mailbox without angle brackets.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Mailbox? mailbox)
    {
        mailbox = null;
        if (text is not { Length: > 0 and <= MaxOctets })
            return false;
        Span<byte> octets = stackalloc byte[MaxOctets * 3];
        return TryParse(octets[..Encoding.UTF8.GetBytes(text, octets)], out mailbox);
    }

    /// <exception cref="FormatException">Not a mailbox.</exception>
    public static Mailbox Parse(string text) =>
        TryParse(text, out var mailbox) ? mailbox : throw new FormatException($"'{text}' is not a mailbox (RFC 5321 §4.1.2)");

    /// <summary>Compares canonical forms.</summary>
    public bool Equals(Mailbox? other) =>
        ReferenceEquals(this, other) || (other is not null && string.Equals(Canonical, other.Canonical, StringComparison.Ordinal));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Mailbox);

    /// <inheritdoc/>
    public override int GetHashCode() => Canonical.GetHashCode(StringComparison.Ordinal);

    /// <summary><see cref="Address"/>.</summary>
    public override string ToString() => Address;

    internal static string Fold(string text) =>
        Ascii.IsValid(text) ? text.ToLowerInvariant() : text.Normalize().ToLowerInvariant().Normalize();
}
