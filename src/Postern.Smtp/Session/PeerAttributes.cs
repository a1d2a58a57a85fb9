using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Smtp.Session;

/// <summary>The argument of XCLIENT and XFORWARD: <c>NAME=value</c>, separated by white space, values in xtext.</summary>
internal static class PeerAttributes
{
    private const int MaxOctets = 255;

    /// <summary>RFC 5321 §4.5.3.1.4, without the CRLF.</summary>
    private const int MaxLine = 510;

    private const string Unavailable = "[UNAVAILABLE]";

    /// <summary>In the order in which they are said.</summary>
    private static readonly string[] Names =
        ["NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT", "IDENT", "SOURCE"];

    /// <summary>
    /// The command lines, without CRLF, that say <paramref name="claims"/> with the attributes that a server offers: usually one. What is
    /// not known is said to be unavailable, so that nothing stays that was said of another client.
    /// </summary>
    /// <param name="offered">As EHLO has it behind the verb.</param>
    public static IReadOnlyList<string> Write(string verb, PeerClaims claims, string offered)
    {
        var known = offered.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var lines = new List<string>();
        var line = verb;
        foreach (var name in Names.Where(name => known.Contains(name, StringComparer.OrdinalIgnoreCase)))
        {
            var item = $" {name}={Value(claims, name)}";
            if (line.Length + item.Length > MaxLine)
            {
                lines.Add(line);
                line = verb;
            }

            line += item;
        }

        if (line.Length > verb.Length)
            lines.Add(line);
        return lines;
    }

    /// <summary>What is known, for <see cref="TryRead"/> alone; empty where nothing is.</summary>
    public static string Write(PeerClaims claims) => string.Join(
        ' ', Names.Where(name => Text(claims, name) is not null).Select(name => $"{name}={Value(claims, name)}"));

    private static string Value(PeerClaims claims, string name) =>
        Text(claims, name) is { Length: > 0 and <= MaxOctets } text
            && XText.Encode(HelloName.Read(Encoding.Latin1.GetBytes(text))) is { Length: <= MaxOctets } said
            ? said
            : Unavailable;

    private static string? Text(PeerClaims claims, string name) => name switch
    {
        "NAME" => claims.Name,
        "ADDR" => claims.IsAddressUnknown ? Unavailable : Of(claims.Address),
        "PORT" => claims.Port?.ToString(CultureInfo.InvariantCulture),
        "PROTO" => claims.Protocol,
        "HELO" => claims.Helo,
        "LOGIN" => claims.Login,
        "DESTADDR" => Of(claims.ServerAddress),
        "DESTPORT" => claims.ServerPort?.ToString(CultureInfo.InvariantCulture),
        "IDENT" => claims.Ident,
        _ => claims.Source,
    };

    private static string? Of(IPAddress? address) =>
        address is null ? null
        : address.IsIPv4MappedToIPv6 ? address.MapToIPv4().ToString()
        : address.AddressFamily == AddressFamily.InterNetworkV6 ? $"IPV6:{new IPAddress(address.GetAddressBytes())}"
        : address.ToString();

    /// <summary>
    /// Adds what is said to <paramref name="claims"/>. False, with nothing changed, when one name or value is not as it must be.
    /// </summary>
    /// <param name="isAllowed">Whether the command has this attribute, by its upper-case name.</param>
    public static bool TryRead(ReadOnlySpan<byte> argument, Func<string, bool> isAllowed, ref PeerClaims claims)
    {
        var read = claims;
        Span<byte> value = stackalloc byte[MaxOctets];
        for (var rest = argument; !rest.IsEmpty;)
        {
            var item = CommandLine.FirstWord(rest, out rest);
            var equals = item.IndexOf((byte)'=');
            if (equals <= 0 || !Ascii.IsValid(item))
                return false;
            var name = Encoding.ASCII.GetString(item[..equals]).ToUpperInvariant();
            if (!isAllowed(name)
                || !TryDecode(name, item[(equals + 1)..], value, out var length)
                || length == 0
                || !TrySet(name, value[..length], ref read))
                return false;
        }

        claims = read;
        return true;
    }

    /// <summary>A client's own name is in whatever code page the client has, and is only shown.</summary>
    private static bool TryDecode(string name, ReadOnlySpan<byte> text, Span<byte> value, out int length) =>
        name == "HELO" ? XText.TryDecodePrintable(text, value, out length) : XText.TryDecode(text, value, out length);

    private static bool TrySet(string name, ReadOnlySpan<byte> octets, ref PeerClaims claims)
    {
        var isKnown = !Ascii.EqualsIgnoreCase(octets, "[UNAVAILABLE]"u8) && !Ascii.EqualsIgnoreCase(octets, "[TEMPUNAVAIL]"u8);
        var text = isKnown ? Encoding.ASCII.GetString(octets) : null;
        var address = isKnown && name is "ADDR" or "DESTADDR" ? Address(text!) : null;
        var port = isKnown && name is "PORT" or "DESTPORT" ? Port(octets) : null;
        PeerClaims? next = name switch
        {
            "NAME" when text is null || Domain.TryParse(text, out _) => claims with { Name = text },
            "ADDR" when text is null || address is not null => claims with { Address = address, IsAddressUnknown = text is null },
            "PORT" when text is null || port is not null => claims with { Port = port },
            "PROTO" when text?.ToUpperInvariant() is null or "SMTP" or "ESMTP" => claims with { Protocol = text?.ToUpperInvariant() },
            "HELO" => claims with { Helo = text },
            "LOGIN" => claims with { Login = text },
            "DESTADDR" when text is null || address is not null => claims with { ServerAddress = address },
            "DESTPORT" when text is null || port is not null => claims with { ServerPort = port },
            "IDENT" => claims with { Ident = text },
            "SOURCE" when text?.ToUpperInvariant() is null or "LOCAL" or "REMOTE" => claims with { Source = text?.ToUpperInvariant() },
            _ => null,
        };
        claims = next ?? claims;
        return next is not null;
    }

    /// <summary><c>192.0.2.1</c> or <c>IPV6:2001:db8::1</c>; IPv4-mapped becomes IPv4.</summary>
    private static IPAddress? Address(string text)
    {
        const string V6 = "IPV6:";
        var isV6 = text.StartsWith(V6, StringComparison.OrdinalIgnoreCase);
        var digits = isV6 ? text[V6.Length..] : text;
        if (digits.Contains('%', StringComparison.Ordinal)
            || digits.Contains('[', StringComparison.Ordinal)
            || !IPAddress.TryParse(digits, out var address))
            return null;
        if (isV6 != (address.AddressFamily == AddressFamily.InterNetworkV6) || (!isV6 && address.ToString() != digits))
            return null;
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    private static int? Port(ReadOnlySpan<byte> digits) =>
        !digits.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && Utf8Parser.TryParse(digits, out int port, out var used)
            && used == digits.Length
            && port <= ushort.MaxValue
            ? port
            : null;
}
