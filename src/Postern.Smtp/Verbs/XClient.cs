using Postern.Smtp.Dialogue;
using Postern.Smtp.Events;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>
/// XCLIENT: a trusted peer, such as a filter in front of this server, speaks for another client. Then everything starts over, with a
/// greeting, as if that client had just connected.
/// </summary>
internal static class XClient
{
    public static readonly Verb Row = new(
        "XCLIENT",
        Phase.Connected | Phase.Ready,
        Needs.Argument | Needs.TlsWhereRequired,
        "XCLIENT attribute=value ...",
        static (session, argument, _) => DecideAsync(session, argument));

    private static async ValueTask<Step> DecideAsync(SmtpSession session, ReadOnlyMemory<byte> argument)
    {
        var state = session.State;
        if (!state.Trust.HasFlag(PeerTrust.XClient))
            return new Step(StandardReply.NotAuthorizedPeer);

        var said = PeerClaims.None;
        var claims = state.XClient;
        if (!PeerAttributes.TryRead(argument.Span, IsAllowed, ref said) || !PeerAttributes.TryRead(argument.Span, IsAllowed, ref claims))
            return new Step(StandardReply.BadPeerAttribute);

        await session.EndTransactionAsync();
        var was = state.ClientAddress;
        state.Become(claims, withLogin: said.Login is not null);
        session.Service.NoteOffers(state);
        var events = session.Server.Events;
        events.OnClientNamed(state, was);
        if (state.Identity is { } identity)
            events.OnLogin(
                state,
                new LoginAttempt(
                    "XCLIENT", identity.AuthorizationId, UserExists: true, identity, Error: null, $"XCLIENT from {state.XClientPeer}"));
        return session.Service.WhyNotWelcome(state.ClientAddress, session.Seat) is { } refusal
            ? new Step(refusal, After: After.Close)
            : new Step(session.Service.Greeting, Next: Phase.Connected);
    }

    private static bool IsAllowed(string name) =>
        name is "NAME" or "ADDR" or "PORT" or "PROTO" or "HELO" or "LOGIN" or "DESTADDR" or "DESTPORT";
}
