using Postern.Smtp.Dialogue;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Verbs;

/// <summary>LHLO (RFC 2033 §4.1): EHLO by another name, so that nobody takes LMTP for SMTP.</summary>
internal static class Lhlo
{
    public static readonly Verb Row = new("LHLO", Phase.Any, Needs.Argument | Needs.EndOfGroup, "LHLO hostname", HandleAsync)
    {
        Only = MailProtocol.Lmtp,
    };

    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct) =>
        Ehlo.GreetAsync(session, argument, extended: true, session.Capabilities.Ehlo);
}
