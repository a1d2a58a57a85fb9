using Postern.Smtp.Dialogue;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;

namespace Postern.Smtp.Verbs;

/// <summary>STARTTLS (RFC 3207). Input that came behind it in clear would be taken for protected: such a connection ends.</summary>
internal static class StartTls
{
    public static readonly Verb Row = new(
        "STARTTLS", Phase.Connected | Phase.Ready, Needs.NoArgument | Needs.NothingBehind, "STARTTLS", HandleAsync);

    private static ValueTask<Step> HandleAsync(SmtpSession session, ReadOnlyMemory<byte> argument, CancellationToken ct) =>
        new(Decide(session));

    private static Step Decide(SmtpSession session)
    {
        if (session.State.Tls is not null)
            return new Step(StandardReply.TlsAlreadyActive);
        return session.Capabilities.OffersTls
            ? new Step(StandardReply.ReadyForTls, Next: Phase.Connected, After.StartTls)
            : new Step(StandardReply.TlsNotOffered);
    }
}
