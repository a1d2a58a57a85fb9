using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>
/// When a host that did not come to terms over TLS is spoken to in clear instead (RFC 7435 §5): where TLS was not asked for, and the host
/// gave up, not this machine.
/// </summary>
internal static class ClearText
{
    /// <param name="isSecured">The handshake was over when the dialogue ended.</param>
    public static bool MayFollow(ClientAnswer answer, HopTerms terms, bool isSecured) =>
        terms is { Tls: ClientTls.Opportunistic, Login: null } && answer switch
    {
        // Whoever puts octets behind STARTTLS is in between, and is not made a present of the mail.
        ClientAnswer.Broken { Phase: ClientPhase.StartTls, Fault: ClientFault.Injection or ClientFault.TlsUnavailable } => false,
        ClientAnswer.Broken { Phase: ClientPhase.StartTls, Cause: var cause } => !IsOurs(cause),
        ClientAnswer.Broken { Phase: ClientPhase.Ehlo, Cause: var cause } => isSecured && !IsOurs(cause),
        ClientAnswer.Refused(ClientPhase.StartTls, _) => true,
        ClientAnswer.Refused(ClientPhase.Ehlo, _) => isSecured,
        _ => false,
    };

    private static bool IsOurs(Exception? cause) => OwnShortage.WordsOf(cause) is not null || OwnShortage.IsOurNetwork(cause);
}
