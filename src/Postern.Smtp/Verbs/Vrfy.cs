using System.Text;
using Postern.Smtp.Extensions;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>VRFY (RFC 5321 §3.5.3, §7.3): never tells whether a mailbox exists.</summary>
internal static class Vrfy
{
    public static readonly Verb Row = new("VRFY", Phase.Any, Needs.Argument | Needs.TlsWhereRequired, "VRFY address", HandleAsync);

    /// <summary>An address beyond US-ASCII needs the SMTPUTF8 parameter here too (RFC 6531 §3.7.4.2).</summary>
    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct) =>
        new(new Step(SmtpUtf8.WhyNot(argument.Span, HasUtf8(session, argument.Span)) ?? StandardReply.CannotVerify));

    private static bool HasUtf8(SmtpSession session, ReadOnlySpan<byte> argument) =>
        session.Capabilities.TakesUtf8 && argument.LastIndexOf((byte)' ') is > 0 and var space && Ascii.EqualsIgnoreCase(argument[(space + 1)..], "SMTPUTF8"u8);
}
