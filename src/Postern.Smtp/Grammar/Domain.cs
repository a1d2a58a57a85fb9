using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Postern.Smtp.Grammar;

/// <summary>
/// A mail domain or an address literal (RFC 5321 §4.1.2, §4.1.3) in canonical form: lower case, no trailing dot, A-labels for
/// international names (RFC 5890), a literal in brackets. Holds printable US-ASCII only, so it cannot carry CR, LF or NUL.
/// </summary>
public sealed class Domain : IEquatable<Domain>
{
    /// <summary>RFC 5321 §4.5.3.1.2.</summary>
    public const int MaxOctets = 255;

    private const int MaxLabelOctets = 63;

    private static readonly SearchValues<byte> LabelOctets =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"u8);

    private static readonly SearchValues<char> V6Characters = SearchValues.Create("0123456789abcdefABCDEF:.");
    private static readonly SearchValues<char> V4Characters = SearchValues.Create("0123456789.");

    private Domain(string text, IPAddress? literal)
    {
        Text = text;
        Literal = literal;
    }

    /// <summary>In canonical form, ready to be written.</summary>
    public string Text { get; }

    /// <summary>The address when this is an address literal such as <c>[192.0.2.1]</c> or <c>[IPv6:2001:db8::1]</c>, else null.</summary>
    public IPAddress? Literal { get; }

    /// <summary>
    /// Parses a domain, with U-labels in UTF-8 where there are any (RFC 6531 §3.3), or an address literal. Underscore is let through
    /// because real host names carry it.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> octets, [NotNullWhen(true)] out Domain? domain)
    {
        domain = null;
        if (octets.IsEmpty || octets.Length > MaxOctets)
            return false;
        if (octets[0] == '[')
            return TryParseLiteral(octets, out domain);
        if (!Ascii.IsValid(octets))
            return InternationalDomain.TryToAscii(octets, out var ascii) && TryParse(Encoding.ASCII.GetBytes(ascii), out domain);

        var rest = octets;
        while (true)
        {
            var dot = rest.IndexOf((byte)'.');
            var label = dot < 0 ? rest : rest[..dot];
            if (label.IsEmpty
                || label.Length > MaxLabelOctets
                || label[0] == '-'
                || label[^1] == '-'
                || label.ContainsAnyExcept(LabelOctets))
                return false;
            if (dot < 0)
                break;
            rest = rest[(dot + 1)..];
        }

        domain = new Domain(Lower(octets), literal: null);
        return true;
    }

    /// <summary>Parses a domain or an address literal.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Domain? domain)
    {
        domain = null;
        return text is { Length: > 0 and <= MaxOctets } && TryParse(Encoding.UTF8.GetBytes(text), out domain);
    }

    /// <exception cref="FormatException">Not a domain.</exception>
    public static Domain Parse(string text) =>
        TryParse(text, out var domain) ? domain : throw new FormatException($"'{text}' is not a mail domain (RFC 5321 §4.1.2)");

    /// <summary>Compares the canonical forms.</summary>
    public bool Equals(Domain? other) => other is not null && string.Equals(Text, other.Text, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Domain);

    /// <inheritdoc/>
    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    /// <summary><see cref="Text"/>.</summary>
    public override string ToString() => Text;

    private static bool TryParseLiteral(ReadOnlySpan<byte> octets, [NotNullWhen(true)] out Domain? domain)
    {
        domain = null;
        if (octets[^1] != ']' || !Ascii.IsValid(octets))
            return false;
        var inner = Encoding.ASCII.GetString(octets[1..^1]);
        const string V6 = "IPv6:";
        var isV6 = inner.StartsWith(V6, StringComparison.OrdinalIgnoreCase);
        var digits = isV6 ? inner.AsSpan(V6.Length) : inner;
        if (isV6 ? digits.ContainsAnyExcept(V6Characters) : digits.Count('.') != 3 || digits.ContainsAnyExcept(V4Characters))
            return false;
        if (!IPAddress.TryParse(digits, out var address) || (address.AddressFamily == AddressFamily.InterNetworkV6) != isV6)
            return false;
        if (!isV6 && !digits.SequenceEqual(address.ToString()))
            return false; // 010.0.0.1 means different hosts to different readers
        domain = new Domain(isV6 ? string.Create(CultureInfo.InvariantCulture, $"[IPv6:{address}]") : $"[{address}]", address);
        return true;
    }

    private static string Lower(ReadOnlySpan<byte> octets) =>
        string.Create(octets.Length, octets, static (chars, source) => Ascii.ToLower(source, chars, out _));
}
