using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>
/// A mailbox, <c>local-part@domain</c> (RFC 5321 §4.1.2). The local part is kept as it came on the wire, quotes included; it
/// holds printable US-ASCII only, so it cannot carry CR, LF or NUL. Equality ignores case, as operators expect of addresses.
/// </summary>
public sealed class Mailbox : IEquatable<Mailbox>
{
    /// <summary>RFC 5321 §4.5.3.1.1.</summary>
    public const int MaxLocalPartOctets = 64;

    private static readonly SearchValues<byte> AtomOctets =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~"u8);

    private Mailbox(string localPart, Domain domain)
    {
        LocalPart = localPart;
        Domain = domain;
        Address = $"{localPart}@{domain.Text}";
    }

    /// <summary>As it came on the wire, quotes included.</summary>
    public string LocalPart { get; }

    /// <summary>Behind the last @.</summary>
    public Domain Domain { get; }

    /// <summary><c>local-part@domain</c>, ready to be written between angle brackets.</summary>
    public string Address { get; }

    /// <summary>The form in which ownership is compared and counted: all lower case (RFC 5321 §2.4 advises so).</summary>
    public string Canonical => Address.ToLowerInvariant();

    /// <summary>Parses a mailbox without angle brackets.</summary>
    public static bool TryParse(ReadOnlySpan<byte> octets, [NotNullWhen(true)] out Mailbox? mailbox)
    {
        mailbox = null;
        if (!TryTakeLocalPart(octets, out var length) || length == octets.Length || octets[length] != '@')
            return false;
        if (!Domain.TryParse(octets[(length + 1)..], out var domain))
            return false;
        mailbox = new Mailbox(Encoding.ASCII.GetString(octets[..length]), domain);
        return true;
    }

    /// <summary>Parses a mailbox without angle brackets.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Mailbox? mailbox)
    {
        mailbox = null;
        return text is { Length: > 0 and <= MaxLocalPartOctets + 1 + Domain.MaxOctets } && Ascii.IsValid(text)
            && TryParse(Encoding.ASCII.GetBytes(text), out mailbox);
    }

    /// <exception cref="FormatException">Not a mailbox.</exception>
    public static Mailbox Parse(string text) =>
        TryParse(text, out var mailbox) ? mailbox : throw new FormatException($"'{text}' is not a mailbox (RFC 5321 §4.1.2)");

    /// <summary>Compares whole addresses without regard to case.</summary>
    public bool Equals(Mailbox? other) => other is not null && string.Equals(Address, other.Address, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Mailbox);

    /// <inheritdoc/>
    public override int GetHashCode() => Address.GetHashCode(StringComparison.OrdinalIgnoreCase);

    /// <summary><see cref="Address"/>.</summary>
    public override string ToString() => Address;

    /// <summary>Measures a Dot-string or a Quoted-string at the start of <paramref name="octets"/>.</summary>
    private static bool TryTakeLocalPart(ReadOnlySpan<byte> octets, out int length)
    {
        length = 0;
        if (octets.IsEmpty)
            return false;
        length = octets[0] == '"' ? QuotedStringLength(octets) : DotStringLength(octets);
        return length is > 0 and <= MaxLocalPartOctets;
    }

    private static int DotStringLength(ReadOnlySpan<byte> octets)
    {
        var end = octets.IndexOf((byte)'@');
        if (end <= 0)
            return 0;
        var rest = octets[..end];
        while (true)
        {
            var dot = rest.IndexOf((byte)'.');
            var atom = dot < 0 ? rest : rest[..dot];
            if (atom.IsEmpty || atom.ContainsAnyExcept(AtomOctets))
                return 0;
            if (dot < 0)
                return end;
            rest = rest[(dot + 1)..];
        }
    }

    private static int QuotedStringLength(ReadOnlySpan<byte> octets)
    {
        for (var i = 1; i < octets.Length; i++)
        {
            switch (octets[i])
            {
                case (byte)'"':
                    return i == 1 ? 0 : i + 1;
                case (byte)'\\' when i + 1 < octets.Length && octets[i + 1] is >= 32 and <= 126:
                    i++;
                    break;
                case (byte)'\\' or < 32 or > 126:
                    return 0;
            }
        }

        return 0;
    }
}
