using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Smtp.Message;

/// <summary>The trace field of one hop (RFC 5321 §4.4, with the protocol names of RFC 3848 and TLS as a comment).</summary>
public static class ReceivedField
{
    /// <summary>Appends the field. The recipient is named only when there is one: more would tell blind copies about each other.</summary>
    public static void Append(StringBuilder text, SessionState session, Transaction transaction, string id, DateTimeOffset at)
    {
        var recipient = transaction.Recipients is [var only] ? $"for <{only}>;" : string.Empty;
        HeaderField.Append(
            text,
            "Received",
            $"from {(session.HeloName is { } name ? HelloName.Word(name) : "unknown")}",
            $"({Literal(session.ClientAddress)})",
            $"by {session.Hostname}",
            $"with {session.Protocol}",
            session.Tls is { } tls ? $"({tls.Version} {tls.Cipher})" : string.Empty,
            recipient.Length > 0 ? $"id {id}" : $"id {id};",
            recipient,
            Date(at));
    }

    /// <summary>RFC 5322 §3.3, in UTC.</summary>
    public static string Date(DateTimeOffset at) =>
        at.UtcDateTime.ToString("ddd, d MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture);

    private static string Literal(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[IPv6:{address}]" : $"[{address}]";
}
