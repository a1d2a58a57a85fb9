using System.Collections.Immutable;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp;

/// <summary>What a listener offers to a client that is not logged in, as EHLO would say it.</summary>
/// <param name="Listener">Its name.</param>
/// <param name="IsTls">To a client whose connection is encrypted.</param>
/// <param name="Mechanisms">Of AUTH, in their order; empty where AUTH is not offered.</param>
/// <param name="OffersStartTls">STARTTLS is on offer.</param>
/// <param name="OffersAuthAfterTls">AUTH would be on offer after STARTTLS, to this client or to one with a certificate.</param>
public sealed record ListenerOffer(
    string Listener, bool IsTls, ImmutableArray<string> Mechanisms, bool OffersStartTls, bool OffersAuthAfterTls)
{
    /// <summary>No mail is taken before STARTTLS.</summary>
    public bool RequiresTls { get; init; }

    /// <summary>AUTH is on offer here and now.</summary>
    public bool OffersAuth => !Mechanisms.IsEmpty;

    /// <param name="server">Where <paramref name="listener"/> stands.</param>
    /// <param name="isTls">The connection is encrypted, from the first octet or since STARTTLS.</param>
    /// <param name="hasCertificate">The client showed a certificate.</param>
    /// <param name="tiesTheConnection">The connection has what the -PLUS mechanisms bind to.</param>
    public static ListenerOffer Of(
        SmtpServerOptions server, SmtpListenerOptions listener, bool isTls, bool hasCertificate = false, bool tiesTheConnection = false)
    {
        var now = Capabilities.Derive(server, listener, isTls, isLoggedIn: false, PeerTrust.None, hasCertificate, tiesTheConnection);
        var later = isTls
            ? null
            : Capabilities.Derive(server, listener, isTls: true, isLoggedIn: false, PeerTrust.None, hasCertificate: true);
        return new ListenerOffer(
            listener.Name,
            isTls,
            [.. now.Mechanisms.Select(static m => m.Name)],
            now.OffersTls,
            now.OffersTls && later is { Mechanisms.Count: > 0 })
        {
            RequiresTls = listener.Tls == TlsMode.Required && !isTls,
        };
    }
}
