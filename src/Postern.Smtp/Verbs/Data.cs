using Postern.Smtp.Message;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>DATA (RFC 5321 §4.1.1.4): asks the store for a draft, then for the content.</summary>
internal static class Data
{
    public static readonly Verb Row = new("DATA", Phase.Mail | Phase.Rcpt, Needs.NoArgument | Needs.TlsWhereRequired | Needs.ContentBehind, "DATA", HandleAsync);

    private static async ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct)
    {
        if (session.State.Phase == Phase.Mail)
            return new Step(StandardReply.NoRecipients);
        switch (await session.Server.Store.BeginAsync(session.State, session.State.Transaction!, ct))
        {
            case DraftAnswer.Open(var draft):
                session.Reception.Begin(draft);
                return new Step(StandardReply.StartMailInput, After: After.ReceiveMessage);
            case DraftAnswer.Refuse(var reply):
                return new Step(reply);
            default:
                return new Step(StandardReply.InternalError, After: After.Close);
        }
    }
}
