using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Tests.Session;

/// <summary>A listener and a client: everything beside verb and phase that may change a reply.</summary>
internal sealed record StateTableVariant(MailProtocol Protocol, TlsMode Tls, AuthMode Auth, bool UnderTls, bool LoggedIn, bool Pipelined)
{
    /// <summary>Every combination that can be; LMTP in clear only, for it differs in its verbs and not in TLS.</summary>
    public static IReadOnlyList<StateTableVariant> All { get; } =
    [
        .. from protocol in Enum.GetValues<MailProtocol>()
           from tls in Enum.GetValues<TlsMode>()
           from auth in new[] { AuthMode.Off, AuthMode.Always }
           from underTls in new[] { false, true }
           from loggedIn in new[] { false, true }
           from pipelined in new[] { false, true }
           let variant = new StateTableVariant(protocol, tls, auth, underTls, loggedIn, pipelined)
           where variant.IsPossible
           select variant,
    ];

    public bool IsLmtp => Protocol == MailProtocol.Lmtp;

    public bool IsBeforeRequiredTls => Tls == TlsMode.Required && !UnderTls;

    private bool IsPossible =>
        (!IsLmtp || Tls == TlsMode.None) && (Tls != TlsMode.None || !UnderTls) && (Tls != TlsMode.Implicit || UnderTls) && (!LoggedIn || (Auth != AuthMode.Off && !IsBeforeRequiredTls));

    /// <summary>Whether a client can be there: who is logged in has said EHLO, and no transaction begins before required TLS.</summary>
    public bool Reaches(Phase phase) => (!LoggedIn || phase != Phase.Connected) && (!IsBeforeRequiredTls || phase <= Phase.Ready);
}
