using Postern.Relay.Delivery.Tls;
using Postern.Smtp.Client;

namespace Postern.Relay.Delivery.Transports;

/// <summary>Makes the note of what TLS with a host came to, and which of the known faults it was.</summary>
internal static class TlsNotes
{
    public static TlsNote Of(
        SmtpClientDialogue dialogue, HopTerms terms, ClientAnswer answer, ShownCertificates certificates) => new(terms.Policy)
    {
        Trust = !dialogue.IsVerified ? TlsTrust.None : terms.ProvesHost ? TlsTrust.Verified : TlsTrust.HostOnly,
        Fault = FaultOf(answer, dialogue.Distrust) ?? terms.Fault ?? (terms.Policy == TlsPolicy.MtaStsTesting ? Tried(dialogue) : null),
        Certificate = certificates.Read(dialogue.PeerCertificate.Span),
    };

    /// <summary>What a policy that is only tried would have refused.</summary>
    private static TlsFault? Tried(SmtpClientDialogue dialogue) =>
        dialogue.Tls is null ? TlsFault.StartTlsNotSupported : dialogue.Distrust is { } distrust ? FaultOf(distrust.Fault) : null;

    private static TlsFault? FaultOf(ClientAnswer answer, ServerDistrust? distrust) => answer switch
    {
        ClientAnswer.Broken { Fault: ClientFault.TlsUnavailable } or ClientAnswer.Refused(ClientPhase.StartTls, _) =>
            TlsFault.StartTlsNotSupported,
        ClientAnswer.Broken { Phase: ClientPhase.StartTls, Fault: ClientFault.TlsFailed } when distrust is not null =>
            FaultOf(distrust.Fault),
        ClientAnswer.Broken { Phase: ClientPhase.StartTls } => TlsFault.ValidationFailure,
        _ => null,
    };

    private static TlsFault FaultOf(CertificateFault fault) => fault switch
    {
        CertificateFault.WrongName => TlsFault.CertificateHostMismatch,
        CertificateFault.WrongDate => TlsFault.CertificateExpired,
        CertificateFault.WrongUsage or CertificateFault.UnknownIssuer => TlsFault.CertificateNotTrusted,
        _ => TlsFault.ValidationFailure,
    };
}
