using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>
/// A mailbox, <c>local-part@domain</c> (RFC 5321 §4.1.2, RFC 6531 §3.3). The local part is kept with the case it came in, and with the least
/// quoting that it needs, which the RFC asks of senders: <c>"lisa"@x</c> and <c>lisa@x</c> are the same mailbox and read the same. It holds
/// printable characters only, so it cannot carry CR, LF or NUL. Equality ignores case, as operators expect of addresses, and how a
/// character is composed.
/// </summary>
public sealed class Mailbox : IEquatable<Mailbox>
{
    /// <summary>RFC 5321 §4.5.3.1.1.</summary>
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

    /// <summary>With the quotes that it needs.</summary>
    public string LocalPart { get; }

    /// <summary>Behind the last @.</summary>
    public Domain Domain { get; }

    /// <summary><c>local-part@domain</c>, ready to be written between angle brackets; the domain in A-labels.</summary>
    public string Address { get; }

    /// <summary>False where the local part needs SMTPUTF8 (RFC 6531) on its way.</summary>
    public bool IsAscii => Ascii.IsValid(Address);

    /// <summary>The form in which ownership is compared and counted: all lower case (RFC 5321 §2.4 advises so), composed (NFC).</summary>
    public string Canonical => canonical ??= IsAscii ? Address.ToLowerInvariant() : Fold(Address);

    /// <summary>Parses UTF-8. Whether a mailbox beyond US-ASCII may be used is for the caller to decide (RFC 6531 §3.5).</summary>
    public static bool TryParse(ReadOnlySpan<byte> octets, [NotNullWhen(true)] out Mailbox? mailbox)
    {
        mailbox = null;
        if (octets.Length > MaxOctets || !LocalParts.TryMeasure(octets, out var length) || length == octets.Length || octets[length] != '@')
            return false;
        if (!Domain.TryParse(octets[(length + 1)..], out var domain) || !LocalParts.TryRead(octets[..length], out var localPart))
            return false;
        var address = $"{localPart}@{domain.Text}";
        if (address.Length > MaxOctets || Encoding.UTF8.GetByteCount(address) > MaxOctets)
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

    internal static string Fold(string text) => text.Normalize().ToLowerInvariant().Normalize();
}
