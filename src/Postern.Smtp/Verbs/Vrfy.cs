using System.Text;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Extensions;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>
/// VRFY (RFC 5321 §3.5.3, §7.3): asks the verifier, if there is one, for a client that has logged in; to anyone else it tells nothing.
/// </summary>
internal static class Vrfy
{
    public static readonly Verb Row = new(
        "VRFY", Phase.Any, Needs.Argument | Needs.TlsWhereRequired | Needs.EndOfGroup, "VRFY address", HandleAsync);

    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct)
    {
        // An address beyond US-ASCII needs the SMTPUTF8 parameter here too (RFC 6531 §3.7.4.2).
        var address = WithoutUtf8Word(session, argument.Span, out var isUtf8);
        if (SmtpUtf8.WhyNot(address, isUtf8) is { } objection)
            return new(new Step(objection));
        if (!session.State.IsLoggedIn)
            return new(new Step(session.State.OffersAuth ? StandardReply.AuthenticationRequired : StandardReply.CannotVerify));
        return session.Server.MailboxVerifier is { } verifier && Mailbox.TryParse(Bare(address), out var mailbox)
            ? AskAsync(session, verifier, mailbox, ct)
            : new(new Step(StandardReply.CannotVerify));
    }

    private static async ValueTask<Step> AskAsync(SmtpSession session, IMailboxVerifier verifier, Mailbox mailbox, CancellationToken ct) =>
        await verifier.VerifyAsync(session.State, mailbox, ct) switch
        {
            MailboxAnswer.Exists => new Step(StandardReply.Verified(mailbox)),
            MailboxAnswer.Missing => new Step(StandardReply.NoSuchMailbox),
            _ => new Step(StandardReply.CannotVerify),
        };

    private static ReadOnlySpan<byte> WithoutUtf8Word(SmtpSession session, ReadOnlySpan<byte> argument, out bool isUtf8)
    {
        var space = argument.LastIndexOfAny(CommandLine.WhiteSpace);
        isUtf8 = session.Capabilities.TakesUtf8 && space > 0 && Ascii.EqualsIgnoreCase(argument[(space + 1)..], "SMTPUTF8"u8);
        return isUtf8 ? argument[..space].TrimEnd(CommandLine.WhiteSpace) : argument;
    }

    /// <summary>Clients send the mailbox with angle brackets and without.</summary>
    private static ReadOnlySpan<byte> Bare(ReadOnlySpan<byte> text) => text is [(byte)'<', .. var inner, (byte)'>'] ? inner : text;
}
