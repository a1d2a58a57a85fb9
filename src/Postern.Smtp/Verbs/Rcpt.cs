using System.Text;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Extensions;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>RCPT (RFC 5321 §4.1.1.3). Only a policy that says permit adds a recipient.</summary>
internal static class Rcpt
{
    public static readonly Verb Row = new(
        "RCPT", Phase.Mail | Phase.Rcpt, Needs.Argument | Needs.TlsWhereRequired, "RCPT TO:<address> [parameters]", HandleAsync);

    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct) =>
        Parse(session, argument.Span, out var recipient, out var parameters) is { } objection
            ? new(new Step(objection))
            : AskAsync(session, recipient!, parameters, ct);

    private static async ValueTask<Step> AskAsync(
        SmtpSession session, Mailbox recipient, RecipientParameters parameters, CancellationToken ct)
    {
        switch (await session.Server.Policy.OnRecipientAsync(session.State, recipient, ct))
        {
            case Verdict.Permit(var rule):
                session.State.Transaction!.Add(recipient, parameters, rule);
                session.Server.Events.OnRecipient(session.State, session.State.Transaction, recipient);
                return new Step(StandardReply.RecipientOk, Next: Phase.Rcpt);
            case Verdict.Refuse(var reply, _):
                return new Step(reply);
            default:
                return new Step(StandardReply.Relay(recipient));
        }
    }

    private static Reply? Parse(
        SmtpSession session, ReadOnlySpan<byte> argument, out Mailbox? recipient, out RecipientParameters parameters)
    {
        recipient = null;
        parameters = RecipientParameters.None;
        if (!PathParser.TrySplit(argument, "TO:"u8, out var path, out var text))
            return StandardReply.BadSyntax(Row.Syntax);
        if (PathParser.IsSourceRoute(path))
            return StandardReply.SourceRoute;
        if (!(session.Recipients.TryParse(path, out recipient) && session.Takes(path)) && !IsPostmaster(session, path, out recipient))
            return StandardReply.BadRecipient;
        if (SmtpUtf8.WhyNot(path, session.State.Transaction!.Parameters.IsUtf8) is { } nonAscii)
            return nonAscii;
        if (ParameterReader.Read(session, text, session.Capabilities.RecipientParameters, ref parameters) is { } objection)
            return objection;
        return session.State.Transaction!.Recipients.Count >= session.Limits.Recipients ? StandardReply.TooManyRecipients : null;
    }

    /// <summary><c>&lt;Postmaster&gt;</c> without a domain is this host's postmaster (RFC 5321 §4.5.1).</summary>
    private static bool IsPostmaster(SmtpSession session, ReadOnlySpan<byte> path, out Mailbox? recipient)
    {
        recipient = null;
        return Ascii.EqualsIgnoreCase(path, "postmaster"u8) && Mailbox.TryParse($"postmaster@{session.Server.Hostname}", out recipient);
    }
}
