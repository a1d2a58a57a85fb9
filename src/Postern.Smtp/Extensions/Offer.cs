using Postern.Sasl;
using Postern.Smtp.Message;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Extensions;

/// <summary>
/// What it depends on whether an extension is offered: the server, the listener, whether TLS is on and somebody has logged in.
/// </summary>
/// <param name="Mechanisms">Those that can be used here and now.</param>
/// <param name="MechanismsUnderTls">Those that could be used once TLS is on.</param>
internal sealed record Offer(
    SmtpServerOptions Server,
    SmtpListenerOptions Listener,
    bool IsTls,
    bool IsLoggedIn,
    IReadOnlyList<ISaslMechanism> Mechanisms,
    IReadOnlyList<ISaslMechanism> MechanismsUnderTls)
{
    private readonly StoreFeatures honoured = Server.Store.Honours;

    /// <summary>What the peer may say of others.</summary>
    public PeerTrust Trust { get; init; }

    public SessionLimits Limits => Listener.Limits ?? Server.Limits;

    public bool OffersTls => !IsTls && Server.Tls is not null && Listener.Tls is (TlsMode.StartTls or TlsMode.Required);

    /// <summary>Whether the store keeps what the extension promises.</summary>
    public bool Honours(StoreFeatures feature) => honoured.HasFlag(feature);

    /// <summary>Whether the listener does without this extension.</summary>
    public bool IsWithout(string keyword) => Listener.WithoutExtensions.Contains(keyword, StringComparer.OrdinalIgnoreCase);
}
