using Postern.Smtp.Dialogue;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Verbs;

/// <summary>HELO (RFC 5321 §4.1.1.1): the greeting of clients older than extensions.</summary>
internal static class Helo
{
    public static readonly Verb Row = new("HELO", Phase.Any, Needs.Argument | Needs.EndOfGroup, "HELO hostname", HandleAsync)
    {
        Only = MailProtocol.Smtp,
    };

    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct) =>
        Ehlo.GreetAsync(session, argument, extended: false, new Reply(250, status: null, session.Server.Hostname));
}
