using System.Buffers;
using System.Globalization;
using System.Text;
using Postern.Relay.Audit.Events;

namespace Postern.Relay.Audit.Accounting;

/// <summary>
/// An event as a line of the accounting log, in the form of Momentum's acctlog: fields with @ between them, and a backslash before an @ or
/// backslash in one. docs/acctlog.md says what each field is; a test reads it.
/// </summary>
internal static class AcctLine
{
    private const char Separator = '@';

    /// <summary>The listener of what operators do: they come by no listener.</summary>
    private const string Control = "control";

    private const string Yes = "1";
    private const string No = "0";
    private const string NotNow = "-1";

    private static readonly SearchValues<char> Special = SearchValues.Create("@\\");

    /// <summary>The line without its end; null for an event that has none.</summary>
    public static string? Of(AuditEvent audit) => audit switch
    {
        LoginEvent login => Join(login.At, TypeOf(login), login.Listener, PeerOf(login.Origin), UserOf(login), ResultOf(login)),
        DecisionEvent decision => Join(
            decision.At,
            "Z",
            decision.Listener,
            PeerOf(decision.Origin),
            decision.User ?? string.Empty,
            ResultOf(decision),
            CommandOf(decision),
            decision.Rule),
        AdminEvent admin => Join(
            admin.At,
            "Z",
            Control,
            admin.Client is { } client ? PeerOf(client, port: null) : string.Empty,
            admin.Actor,
            Yes,
            $"{admin.Action} {admin.Target}",
            EventWord.Of(admin.Via) ?? string.Empty),
        _ => null,
    };

    /// <summary>A store that did not answer is what Momentum calls a timeout.</summary>
    private static string TypeOf(LoginEvent login) => login.Outcome == AuthOutcome.Unavailable ? "T" : "N";

    /// <summary>Who comes by ANONYMOUS has proven nothing.</summary>
    private static string ResultOf(LoginEvent login) => login.Outcome == AuthOutcome.Ok ? Yes : No;

    private static string ResultOf(DecisionEvent decision) =>
        decision.Outcome == DecisionOutcome.Permit ? Yes
        : decision.Reply is ['4', ..] ? NotNow
        : No;

    private static string UserOf(LoginEvent login) => login.ActingAs is { } other ? $"{login.User} as {other}" : login.User ?? string.Empty;

    private static string CommandOf(DecisionEvent decision) => decision switch
    {
        { Recipient: { } recipient } => $"RCPT TO:<{recipient}>",
        { Stage: "message" } => "DATA",
        _ => $"MAIL FROM:<{decision.Sender}>",
    };

    private static string PeerOf(EventOrigin origin) => PeerOf(origin.Client, origin.Port);

    /// <summary>The colon before the port is the last one either way; brackets make it the only one outside of them.</summary>
    private static string PeerOf(string client, int? port)
    {
        var address = client.Contains(':', StringComparison.Ordinal) ? $"[{client}]" : client;
        return string.Create(CultureInfo.InvariantCulture, $"{address}:{port ?? 0}");
    }

    private static string Join(DateTimeOffset at, params ReadOnlySpan<string> fields)
    {
        var line = new StringBuilder(at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        foreach (var field in fields)
            Append(line.Append(Separator), field);
        return line.ToString();
    }

    private static void Append(StringBuilder line, string field)
    {
        if (field.AsSpan().ContainsAny(Special))
            field = field.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("@", "\\@", StringComparison.Ordinal);
        // What is left is no separator and no backslash: a control character is written as people see it, with one.
        line.Append(PrintableText.Of(field));
    }
}
