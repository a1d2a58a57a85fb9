using Postern.Sasl;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Extensions;

/// <summary>What it depends on whether an extension is offered: the server, the listener, and whether TLS is on.</summary>
/// <param name="Mechanisms">Those that can be used here and now.</param>
/// <param name="MechanismsUnderTls">Those that could be used once TLS is on.</param>
internal readonly record struct Offer(
    SmtpServerOptions Server, SmtpListenerOptions Listener, bool IsTls, IReadOnlyList<ISaslMechanism> Mechanisms, IReadOnlyList<ISaslMechanism> MechanismsUnderTls)
{
    public SessionLimits Limits => Listener.Limits ?? Server.Limits;

    public bool OffersTls => !IsTls && Server.Tls is not null && Listener.Tls is (TlsMode.StartTls or TlsMode.Required);
}
