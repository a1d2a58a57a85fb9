using Postern.Smtp.Dialogue;
using Postern.Smtp.Extensions;
using Postern.Smtp.Grammar;
using Postern.Smtp.Policy;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>MAIL (RFC 5321 §4.1.1.2), with the parameters of the extensions on offer.</summary>
internal static class Mail
{
    public static readonly Verb Row = new(
        "MAIL", Phase.Ready, Needs.Argument | Needs.TlsWhereRequired | Needs.Room, "MAIL FROM:<address> [parameters]", HandleAsync);

    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct) =>
        Parse(session, argument.Span, out var transaction) is { } objection
            ? new(new Step(objection))
            : AskAsync(session, transaction!, ct);

    private static async ValueTask<Step> AskAsync(SmtpSession session, Transaction transaction, CancellationToken ct)
    {
        if (await session.ReviewLoginAsync(ct) is { } objection)
            return new Step(objection, After: objection.Code == 421 ? After.Close : After.ReadCommand);
        if (await session.Server.Policy.OnSenderAsync(session.State, transaction.Sender, ct) is Verdict.Refuse(var reply, _))
            return new Step(reply);
        // What is to be held until a time that has passed is not held (RFC 4865 §4.1).
        if (transaction.Parameters.HoldUntil > session.Server.Clock.GetUtcNow()
            && await session.Server.Store.WhyNotHeldAsync(session.State, transaction.Parameters, ct) is { } full)
            return new Step(full);
        session.State.Transaction = transaction;
        session.Server.Events.OnSender(session.State, transaction);
        return new Step(StandardReply.SenderOk, Next: Phase.Mail);
    }

    private static Reply? Parse(SmtpSession session, ReadOnlySpan<byte> argument, out Transaction? transaction)
    {
        transaction = null;
        if (!PathParser.TrySplit(argument, "FROM:"u8, out var path, out var text))
            return StandardReply.BadSyntax(Row.Syntax);
        if (PathParser.IsSourceRoute(path))
            return StandardReply.SourceRoute;
        Mailbox? mailbox = null;
        if (!path.IsEmpty && !(session.Senders.TryParse(path, out mailbox) && session.Takes(path)))
            return StandardReply.BadSender;
        var parameters = MailParameters.None;
        if (ParameterReader.Read(session, text, session.Capabilities.MailParameters, ref parameters) is { } objection)
            return objection;
        if ((SmtpUtf8.WhyNot(path, parameters.IsUtf8) ?? FutureRelease.WhyNot(parameters, session.Server.Clock)
            ?? XVerp.WhyNot(mailbox, parameters)) is { } unfit)
            return unfit;
        transaction = new Transaction(new ReversePath(mailbox), parameters);
        return null;
    }
}
