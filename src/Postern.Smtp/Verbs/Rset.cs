using Postern.Smtp.Dialogue;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>RSET (RFC 5321 §4.1.1.5): the transaction is forgotten; EHLO, TLS and the login stay.</summary>
internal static class Rset
{
    public static readonly Verb Row = new("RSET", Phase.Any, Needs.NoArgument, "RSET", HandleAsync);

    private static async ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct)
    {
        await session.EndTransactionAsync();
        session.Server.Events.OnReset(session.State);
        return new Step(StandardReply.Ok, Next: session.State.Phase == Phase.Connected ? Phase.Connected : Phase.Ready);
    }
}
