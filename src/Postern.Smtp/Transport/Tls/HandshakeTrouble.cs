using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Smtp.Transport.Tls;

/// <summary>
/// Why a handshake failed, in operators' words. They follow from values: the first octets that came, the code of an alert, the reason code
/// of OpenSSL. The runtime's own text is the last resort, where none of these is known.
/// </summary>
internal static class HandshakeTrouble
{
    /// <summary>OpenSSL adds it to the code of an alert that came (RFC 8446 §6).</summary>
    private const int AlertBase = 1000;

    private static readonly string[] Commands = ["EHLO", "HELO", "LHLO", "MAIL", "AUTH", "NOOP", "QUIT", "RSET", "STARTTLS", "HELP"];

    /// <summary>A client failed in its handshake with us.</summary>
    /// <param name="first">What it sent first, as far as it was kept.</param>
    /// <param name="offer">What this listener takes, for a client that has nothing in common with it.</param>
    public static string OfClient(Exception e, ReadOnlySpan<byte> first, string offer) => e switch
    {
        OperationCanceledException when first.IsEmpty =>
            "the handshake took too long: the client said nothing, and may be waiting for a greeting in clear; TLS comes first here",
        OperationCanceledException => "the handshake took too long",
        _ when first.IsEmpty => "the client left without a word",
        _ => WhatInstead(first, "the client") ?? Reason(ReasonOf(e), "the client", offer) ?? Rest(e, "the client"),
    };

    /// <summary>A server failed in our handshake with it; what was wrong with its certificate is said elsewhere.</summary>
    /// <param name="first">What it sent first, as far as it was kept.</param>
    public static string OfServer(Exception e, ReadOnlySpan<byte> first) => first.IsEmpty
        ? "the server closed the connection when TLS began; it may not speak TLS here"
        : WhatInstead(first, "the server")
            ?? Reason(ReasonOf(e), "the server", "TLS 1.2 or 1.3 with this machine's ciphers")
            ?? Rest(e, "the server");

    /// <summary>What came where TLS was expected; null for TLS.</summary>
    public static string? WhatInstead(ReadOnlySpan<byte> first, string who)
    {
        var line = first[..(first.IndexOfAny("\r\n"u8) is >= 0 and var end ? end : first.Length)];
        if (CommandLine.IsTlsRecord(first) || first.Length < 2)
            return null;
        if (first is [>= 0x80, _, 0x01, ..])
            return $"wrong version: {who} begins as SSL 2.0 did";
        if (first.StartsWith("PROXY "u8) || first.StartsWith("\r\n\r\n\0\r\nQUIT\n"u8))
            return $"{who} begins with a PROXY protocol header, and its address is not in proxy_from";
        if (CommandLine.IsForeignProtocol(line))
            return $"{who} speaks HTTP, not TLS";
        if (first is [>= (byte)'2' and <= (byte)'5', >= (byte)'0' and <= (byte)'9', >= (byte)'0' and <= (byte)'9', ..])
            return $"{who} answers in plain text ({Encoding.ASCII.GetString(first[..3])} …): TLS does not come first on this port; "
                + $"smtp:// begins in clear and goes on with STARTTLS";
        if (IsCommand(line))
            return $"{who} speaks SMTP in plain text, and TLS was to come first";
        if (first.StartsWith("SSH-"u8))
            return $"{who} speaks SSH, not TLS";
        if (first is [0x03, 0x00, 0x00, ..])
            return $"{who} speaks RDP, not TLS";
        return line.Length > 1 && !line.ContainsAnyExceptInRange((byte)' ', (byte)'~')
            ? $"{who} speaks plain text, not TLS"
            : $"{who} speaks something that is not TLS ({Convert.ToHexStringLower(first[..Math.Min(first.Length, 8)])} …)";
    }

    private static bool IsCommand(ReadOnlySpan<byte> line)
    {
        var verb = line[..(line.IndexOf((byte)' ') is >= 0 and var space ? space : line.Length)];
        foreach (var command in Commands)
        {
            if (Ascii.EqualsIgnoreCase(verb, command))
                return true;
        }

        return false;
    }

    /// <summary>OpenSSL's reason, from the error that the runtime carries it in; 0 for none.</summary>
    private static int ReasonOf(Exception e)
    {
        for (var at = e; at is not null; at = at.InnerException)
        {
            // The library's number for TLS is 20; OpenSSL 3 packs it 23 bits up, and version 1.1 24.
            if ((uint)at.HResult >> 23 == 20)
                return at.HResult & 0x7FFFFF;
            if ((uint)at.HResult >> 24 == 20)
                return at.HResult & 0xFFF;
        }

        return 0;
    }

    private static string? Reason(int reason, string who, string offer) => reason switch
    {
        101 => $"no shared curve: {who} offers no key exchange group that is taken here",
        118 or 376 => $"no shared signature: {who} offers no signature that the certificate can make",
        134 => $"the certificate of {who} does not verify",
        155 or 156 => $"{who} speaks HTTP, not TLS",
        193 => $"no shared cipher: {who} offers none that is taken here ({offer})",
        252 or 258 or 266 or 267 or 396 => $"wrong version: {who} speaks no TLS version that is taken here ({offer})",
        294 => Left(who),
        373 =>
            $"{who} fell back to an older TLS version than it speaks (TLS_FALLBACK_SCSV): an earlier attempt failed, "
                + $"or somebody stands between",
        394 or 397 or 399 => $"a key of {who} is too short for this machine's security level",
        398 => $"the certificate of {who} is signed by a hash that is too weak for this machine's security level",
        >= AlertBase and <= AlertBase + 255 => Alert(reason - AlertBase, who),
        _ => null,
    };

    private static string Alert(int code, string who) => code switch
    {
        40 => $"no shared cipher: {who} found nothing among what is offered here that it takes (alert handshake_failure)",
        42 => $"{who} refuses the certificate (alert bad_certificate)",
        43 => $"{who} cannot use a certificate of this kind (alert unsupported_certificate)",
        44 => $"{who} says that the certificate was revoked (alert certificate_revoked)",
        45 => $"{who} says that the certificate has expired (alert certificate_expired); one of the two clocks may be wrong",
        46 => $"{who} refuses the certificate and does not say why (alert certificate_unknown)",
        48 => $"unknown CA: {who} does not know who issued the certificate (alert unknown_ca)",
        70 => $"wrong version: {who} takes no TLS version that is spoken here (alert protocol_version)",
        71 => $"{who} wants stronger ciphers or keys (alert insufficient_security)",
        86 => $"{who} speaks a newer TLS version than this connection tried (alert inappropriate_fallback)",
        112 => $"{who} knows no server of that name (alert unrecognized_name)",
        116 => $"{who} wants a client certificate (alert certificate_required)",
        0 or 90 => $"{who} gave the handshake up (alert {(code == 0 ? "close_notify" : "user_canceled")})",
        _ => string.Create(CultureInfo.InvariantCulture, $"{who} ended the handshake by alert {code}"),
    };

    private static string Rest(Exception e, string who) => e switch
    {
        { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown } } => Left(who),
        IOException { InnerException: null } and not HandshakeTooLongException => Left(who),
        _ => (e.InnerException ?? e).Message,
    };

    private static string Left(string who) =>
        $"{who} left in the middle of the handshake, without an alert: some do so when they do not trust the certificate";
}
