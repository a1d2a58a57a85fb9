using System.Net;
using System.Text;
using Postern.Sasl;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Grammar;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>
/// AUTH (RFC 4954 §4): checks that it may begin here and now, then hands over to the SASL dialogue. A client that said HELO may log in too:
/// cameras and printers do, and what EHLO would have told them they know from their settings.
/// </summary>
internal static class Auth
{
    public static readonly Verb Row = new(
        "AUTH", Phase.Any, Needs.Argument | Needs.TlsWhereRequired, "AUTH mechanism [initial-response]", HandleAsync);

    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct) =>
        new(Begin(session, argument.Span) is { } objection ? new Step(objection) : new Step(Reply: null, After: After.RunSasl));

    private static Reply? Begin(SmtpSession session, ReadOnlySpan<byte> argument)
    {
        var state = session.State;
        if (state.Identity is not null)
            return StandardReply.AlreadyAuthenticated;
        if (state.Phase > Phase.Ready)
            return StandardReply.BadSequence;
        if (state.Phase == Phase.Connected)
            return session.HelloFirst;

        var name = CommandLine.FirstWord(argument, out var initial);
        if (initial.ContainsAny(CommandLine.WhiteSpace))
            return StandardReply.BadSyntax(Row.Syntax);
        if (Find(session.Capabilities.Mechanisms, name) is not { } mechanism)
            return NotOffered(session, name);

        ReadOnlyMemory<byte>? response = null;
        if (!initial.IsEmpty)
        {
            if (!mechanism.TakesInitialResponse)
                return StandardReply.NoInitialResponse;
            byte[] octets = [];
            if (!initial.SequenceEqual("="u8) && !StrictBase64.TryDecode(initial, out octets))
                return StandardReply.BadBase64;
            response = octets;
        }

        var sasl = session.Server.SaslFor(session.Service.Options, state, mechanism.Name);
        var context = sasl with
        {
            Peer = state.ClientAddress.ToString(),
            Connection = new SaslConnection
            {
                Client = new IPEndPoint(state.ClientAddress, state.ClientPort),
                Server = state.ServerEndpoint,
                IsSecured = state.Tls is not null,
                TlsVersion = state.Tls?.Version,
                Session = state.Id,
            },
            Channel = session.Channel,
            External = External(session) ?? sasl.External,
            OffersChannelBinding = session.Capabilities.Mechanisms.Any(static m => m.Name.EndsWith("-PLUS", StringComparison.Ordinal)),
            Hostname = state.Hostname,
        };
        if (context.Begin(mechanism) is not { } exchange)
            return StandardReply.UnknownMechanism;
        session.Dialogue = new SaslDialogue(session, mechanism, exchange, response);
        return null;
    }

    private static CertificateIdentity? External(SmtpSession session) =>
        session.State.OwnCertificate is { } certificate && session.Server.CertificateUsersOn(session.Service.Options) is { } users
            ? new CertificateIdentity(certificate, users)
            : null;

    private static Reply NotOffered(SmtpSession session, ReadOnlySpan<byte> name)
    {
        var (now, afterTls) = (session.State.OffersAuth, session.State.OffersAuthAfterTls);
        if (afterTls && Find(session.Service.CapabilitiesFor(isTls: true, hasCertificate: true, ties: true).Mechanisms, name) is not null)
            return StandardReply.MechanismNeedsTls;
        return now || afterTls ? StandardReply.UnknownMechanism : StandardReply.AuthNotOffered;
    }

    /// <summary>Names compare without regard to case (RFC 4954 §8).</summary>
    private static ISaslMechanism? Find(IReadOnlyList<ISaslMechanism> mechanisms, ReadOnlySpan<byte> name)
    {
        foreach (var mechanism in mechanisms)
        {
            if (Ascii.EqualsIgnoreCase(name, mechanism.Name))
                return mechanism;
        }

        return null;
    }
}
