using Postern.Smtp.Dialogue;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>XFORWARD: a trusted peer tells, for the log, where the next message came from. No policy looks at it.</summary>
internal static class XForward
{
    public static readonly Verb Row = new(
        "XFORWARD",
        Phase.Ready,
        Needs.Argument | Needs.TlsWhereRequired,
        "XFORWARD attribute=value ...",
        static (session, argument, _) => new(Decide(session, argument.Span)));

    private static Step Decide(SmtpSession session, ReadOnlySpan<byte> argument)
    {
        if (!session.State.Trust.HasFlag(PeerTrust.XForward))
            return new Step(StandardReply.NotAuthorizedPeer);
        var claims = session.State.Forwarded;
        if (!PeerAttributes.TryRead(argument, IsAllowed, ref claims))
            return new Step(StandardReply.BadPeerAttribute);
        session.State.Forwarded = claims;
        return new Step(StandardReply.Ok);
    }

    private static bool IsAllowed(string name) => name is "NAME" or "ADDR" or "PORT" or "PROTO" or "HELO" or "IDENT" or "SOURCE";
}
