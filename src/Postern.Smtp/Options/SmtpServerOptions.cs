using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using Postern.Sasl;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Authentication;
using Postern.Smtp.Events;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Overload;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp;

/// <summary>
/// What a server is made of. The server takes a copy when it is constructed, and lists every mistake in it at once; a later change counts
/// by <see cref="SmtpServer.Apply"/> only. Only <see cref="Store"/> has no usable default.
/// </summary>
public sealed record SmtpServerOptions
{
    private const int SubmissionPort = 587;
    private const int SubmissionsPort = 465;

    /// <summary>
    /// The name in the greeting, in EHLO and in Received; a domain or an address literal. The name of the machine unless said otherwise,
    /// and <c>localhost</c> where that is no domain.
    /// </summary>
    public string Hostname { get; set; } = Domain.TryParse(Environment.MachineName, out _) ? Environment.MachineName : "localhost";

    /// <summary>
    /// The ways in; <see cref="Listen(int, TlsMode?)"/> adds one. A server without any only serves what <see cref="SmtpServer.ServeAsync"/>
    /// is given.
    /// </summary>
    public IReadOnlyList<SmtpListenerOptions> Listeners { get; set; } = [];

    /// <summary>
    /// Decides senders and recipients. <see cref="EnvelopePolicy.LoggedInOnly"/> unless said otherwise: nobody relays without a login.
    /// </summary>
    public IEnvelopePolicy Policy { get; set; } = EnvelopePolicy.LoggedInOnly;

    /// <summary>
    /// Takes the messages. It must be given, as by <see cref="MessageStore.From(Func{ReceivedMessage, CancellationToken, Task})"/>.
    /// </summary>
    public IMessageStore Store { get; set; } = NoStore.Instance;

    /// <summary>Answers VRFY for clients that have logged in; null: the answer is always 252.</summary>
    public IMailboxVerifier? MailboxVerifier { get; set; }

    /// <summary>
    /// Says which user a client's certificate is; null: EXTERNAL is not offered. Matters only on listeners that ask for certificates.
    /// </summary>
    public IClientCertificateUsers? ClientCertificateUsers { get; set; }

    /// <summary>Answers ETRN (RFC 1985); null: it is not offered.</summary>
    public IQueueStarter? QueueStarter { get; set; }

    /// <summary>Hears what happens. Nobody does unless said otherwise.</summary>
    public ISmtpEvents Events { get; set; } = NoEvents.Instance;

    /// <summary>Needed by every listener that is not <see cref="TlsMode.None"/>.</summary>
    public TlsOptions? Tls { get; set; }

    /// <summary>
    /// The verifiers that mechanisms may use; <see cref="Authenticate(Func{string, Password, CancellationToken, ValueTask{bool}})"/> sets
    /// the one for passwords. Without any, and without <see cref="Authenticator"/>, AUTH is not offered.
    /// </summary>
    public SaslContext Sasl { get; set; } = new();

    /// <summary>
    /// Decides passwords and tokens in the place of the verifiers in <see cref="Sasl"/>, of which there is then none for the same; null:
    /// those do.
    /// </summary>
    public IAuthenticator? Authenticator { get; set; }

    /// <summary>
    /// The mechanisms that listeners may offer, strongest first; each is offered only where its verifier is there. One's own come in by
    /// <see cref="SaslMechanisms.With"/>, and by <see cref="SaslMechanisms.Without"/> some go.
    /// </summary>
    public IReadOnlyList<ISaslMechanism> Mechanisms { get; set; } = SaslMechanisms.All;

    /// <summary>The bounds of every session, unless its listener has its own.</summary>
    public SessionLimits Limits { get; set; } = new();

    /// <summary>Connections at a time; one more is answered 421.</summary>
    public int MaxConnections { get; set; } = 20_000;

    /// <summary>Connections at a time from one IPv4 address or one IPv6 /64; one more is answered 421.</summary>
    public int MaxConnectionsPerAddress { get; set; } = 50;

    /// <summary>Octets that the process should stay below; null for what the runtime may have. Nearing it is overload.</summary>
    public long? MaxMemory { get; set; }

    /// <summary>What can run short beside connections and memory.</summary>
    public IReadOnlyList<IPressureGauge> Gauges { get; set; } = [];

    /// <summary>From which pressure on the server counts as stressed or full.</summary>
    public LoadThresholds Load { get; set; } = new();

    /// <summary>
    /// How long a client may have a message held (RFC 4865), at most 999,999,999 seconds; FUTURERELEASE announces it. Matters only where
    /// <see cref="Store"/> holds messages.
    /// </summary>
    public TimeSpan MaxHold { get; set; } = TimeSpan.FromDays(7);

    /// <summary>
    /// The shortest time that BY=…;R may give a message (RFC 2852 §3), in whole seconds; zero for none. DELIVERBY announces it. Matters
    /// only where <see cref="Store"/> keeps such times.
    /// </summary>
    public TimeSpan MinimumDeliverBy { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// TLS handshakes that may compute at once, over all listeners; others wait their turn within <see cref="SessionLimits.Handshake"/>. A
    /// client that is waited for does not count. By default one for each processor, at least two: more make no handshake faster and
    /// sessions slower.
    /// </summary>
    public int MaxHandshakes { get; set; } = Math.Max(2, Environment.ProcessorCount);

    /// <summary>
    /// Makes the meter <c>Postern.Smtp</c> that the server measures itself with, and keeps it when the server is disposed. Null: a meter of
    /// the server's own, whose <see cref="Meter.Scope"/> is the <see cref="SmtpServer"/>. It stays what the server was made with.
    /// </summary>
    public IMeterFactory? Meters { get; set; }

    /// <summary>Where every time and timer comes from.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;

    /// <summary>Adds a listener on the IPv4 loopback address. To be reached from elsewhere, name an endpoint.</summary>
    /// <param name="port">0 takes a free one; <see cref="SmtpServer.Endpoints"/> tells which.</param>
    /// <param name="tls">Unless said otherwise STARTTLS, and on port 465 TLS from the first octet.</param>
    public void Listen(int port, TlsMode? tls = null) => Listen(new IPEndPoint(IPAddress.Loopback, port), tls);

    /// <summary>
    /// Adds a listener named <c>smtp</c>, <c>submission</c> or <c>submissions</c>, by its port. For anything else set
    /// <see cref="Listeners"/>.
    /// </summary>
    /// <param name="endpoint">Port 0 takes a free one; <see cref="SmtpServer.Endpoints"/> tells which.</param>
    /// <param name="tls">Unless said otherwise STARTTLS, and on port 465 TLS from the first octet.</param>
    public void Listen(IPEndPoint endpoint, TlsMode? tls = null) => Listeners =
    [
        .. Listeners,
        new SmtpListenerOptions
        {
            Name = NameFor(endpoint.Port),
            Endpoints = [endpoint],
            Tls = tls ?? (endpoint.Port == SubmissionsPort ? TlsMode.Implicit : TlsMode.StartTls),
        },
    ];

    /// <summary>
    /// Sets what checks a user and a password (PLAIN, LOGIN); the other verifiers in <see cref="Sasl"/> stay. The last call counts.
    /// </summary>
    /// <param name="check">As in <see cref="PasswordVerifier.From(Func{string, Password, CancellationToken, ValueTask{bool}})"/>.</param>
    public void Authenticate(Func<string, Password, CancellationToken, ValueTask<bool>> check)
    {
        Authenticator = null;
        Sasl = Sasl with { Passwords = PasswordVerifier.From(check) };
    }

    /// <summary>
    /// Sets what decides logins with the session, the mechanism and what the client revealed before it. The last call counts.
    /// </summary>
    /// <param name="decide">As <see cref="IAuthenticator.AuthenticateAsync"/>.</param>
    /// <param name="answers">What it can decide.</param>
    public void Authenticate(
        Func<SessionState, string, LoginCredentials, CancellationToken, ValueTask<AuthenticationResult>> decide,
        CredentialKinds answers = CredentialKinds.Passwords)
    {
        Authenticator = new FunctionAuthenticator(decide, answers);
        Sasl = Sasl with
        {
            Passwords = Asks(CredentialKinds.Passwords) ? null : Sasl.Passwords,
            Tokens = Asks(CredentialKinds.BearerTokens) ? null : Sasl.Tokens,
        };
    }

    /// <summary>
    /// What mechanisms may use when <paramref name="session"/> authenticates by <paramref name="mechanism"/> on this listener; without a
    /// session, to see which could.
    /// </summary>
    internal SaslContext SaslFor(SmtpListenerOptions listener, SessionState? session, string mechanism)
    {
        if (listener.Sasl is { } own)
            return own;
        if (Authenticator is not { } authenticator)
            return Sasl;
        var verifier = new AuthenticatorVerifier(authenticator, session!, mechanism);
        return Sasl with
        {
            Passwords = Asks(CredentialKinds.Passwords) ? verifier : Sasl.Passwords,
            Tokens = Asks(CredentialKinds.BearerTokens) ? verifier : Sasl.Tokens,
        };
    }

    /// <summary>Who says on this listener which user a certificate is; null for nobody.</summary>
    internal IClientCertificateUsers? CertificateUsersOn(SmtpListenerOptions listener) =>
        listener.ClientCertificateUsers ?? ClientCertificateUsers;

    /// <summary>Whether the authenticator decides these.</summary>
    internal bool Asks(CredentialKinds kind) => Authenticator is { } authenticator && authenticator.Answers.HasFlag(kind);

    private string NameFor(int port)
    {
        var name = port switch { SubmissionPort => "submission", SubmissionsPort => "submissions", _ => "smtp" };
        var taken = Listeners.Count(l => l.Name == name || l.Name.StartsWith(name + "-", StringComparison.Ordinal));
        return taken == 0 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{taken + 1}");
    }
}
