using Postern.Smtp.Dialogue;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>DATA (RFC 5321 §4.1.1.4): asks the store for a draft, then for the content.</summary>
internal static class Data
{
    public static readonly Verb Row = new(
        "DATA",
        Phase.Mail | Phase.Rcpt,
        Needs.NoArgument | Needs.TlsWhereRequired | Needs.ContentBehind | Needs.EndOfGroup,
        "DATA",
        HandleAsync);

    private static async ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct)
    {
        if (session.State.Phase == Phase.Mail)
            return new Step(session.NoRecipients);
        if (session.State.Transaction!.Parameters.Body == BodyType.BinaryMime)
            return new Step(StandardReply.BinaryNeedsBdat);
        return await session.Reception.BeginAsync(ct) ?? new Step(StandardReply.StartMailInput, After: After.ReceiveMessage);
    }
}
