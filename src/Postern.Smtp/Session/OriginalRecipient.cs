using Postern.Smtp.Grammar;

namespace Postern.Smtp.Session;

/// <summary>ORCPT=: whom the sender meant before anybody rewrote the address (RFC 3461 §4.2). It cannot hold CR, LF or NUL.</summary>
public sealed record OriginalRecipient
{
    /// <summary>Of the whole value, encoded (RFC 3461 §4.2).</summary>
    public const int MaxOctets = 500;

    /// <param name="type">The address type, such as <c>rfc822</c> or <c>utf-8</c>; an atom.</param>
    /// <param name="address">
    /// Printable US-ASCII; where the type is <c>utf-8</c> also what an internationalized address may hold (RFC 6533).
    /// </param>
    /// <exception cref="FormatException">It is not.</exception>
    public OriginalRecipient(string type, string address)
    {
        if (!IsType(type) || address.Length == 0)
            throw new FormatException("An original recipient has a type and an address (RFC 3461 §4.2)");
        (Type, Address) = (type, address);
        if (!(IsUtf8 ? Utf8Text.IsAllowed(address) : XText.IsEncodable(address)))
            throw new FormatException("An original recipient is printable (RFC 3461 §4.2)");
    }

    /// <summary>As the client wrote it.</summary>
    public string Type { get; }

    /// <summary>As decoded.</summary>
    public string Address { get; }

    /// <summary>The address type of RFC 6533.</summary>
    public bool IsUtf8 => Type.Equals("utf-8", StringComparison.OrdinalIgnoreCase);

    /// <summary><c>type;address</c>, as in the Original-Recipient field of a report (RFC 3464 §2.3.1).</summary>
    public override string ToString() => $"{Type};{Address}";

    /// <summary>Letters, digits and hyphens: every registered type, and nothing that could end the word.</summary>
    internal static bool IsType(ReadOnlySpan<char> type)
    {
        foreach (var c in type)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
                return false;
        }

        return type.Length is > 0 and <= 64;
    }
}
