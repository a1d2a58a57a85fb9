using System.Globalization;
using System.Net;
using System.Text;
using Postern.Sasl;
using Postern.Sasl.Mechanisms;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.DovecotAuth;

/// <summary>
/// What one listener answers by one configuration: who is asked about logins, and which mechanisms are taken. Another configuration is
/// another service; exchanges that have begun go on with theirs.
/// </summary>
/// <param name="sasl">Who is asked.</param>
/// <param name="identify">Whether there is a user whom the asking server has already recognized by a certificate.</param>
/// <param name="usual">The mechanisms that every user can use.</param>
internal sealed class AuthService(
    AuthListenerOptions options,
    SaslContext sasl,
    Func<string, CancellationToken, ValueTask<LoginAnswer>> identify,
    Func<IReadOnlyList<string>> usual,
    TimeProvider clock)
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private Offer? offer;

    public AuthListenerOptions Options => options;

    public TimeProvider Clock => clock;

    /// <summary>What the handshake names, in its order; as of a second ago at most.</summary>
    public IReadOnlyList<ISaslMechanism> Mechanisms
    {
        get
        {
            if (offer is { } known && clock.GetElapsedTime(known.At) < Freshness)
                return known.Mechanisms;
            return (offer = new Offer([.. Offered(Usual)], clock.GetTimestamp())).Mechanisms;
        }
    }

    /// <summary>All that this side says before it is asked anything. Exim waits for it before it says a word itself.</summary>
    /// <param name="connection">Unlike that of any other connection of this process.</param>
    /// <param name="cookie">32 hexadecimal digits.</param>
    public string Handshake(uint connection, string cookie)
    {
        var lines = new StringBuilder(512).Append("VERSION\t1\t2\n");
        // Before SPID: by that order Postfix and Exim know a service for clients.
        foreach (var mechanism in Mechanisms)
            lines.Append("MECH\t").Append(mechanism.Name).Append(MechanismTraits.Of(mechanism)).Append('\n');
        return lines.Append(CultureInfo.InvariantCulture, $"SPID\t{Environment.ProcessId}\n")
            .Append(CultureInfo.InvariantCulture, $"CUID\t{connection}\nCOOKIE\t{cookie}\nDONE\n").ToString();
    }

    /// <summary>Begins an exchange; null where there is none, and why, for the log.</summary>
    public (ISaslMechanism Mechanism, ISaslExchange Exchange)? TryStart(AuthRequest request, out string objection)
    {
        objection = string.Empty;
        if (Mechanisms.FirstOrDefault(m => m.Name == request.Mechanism) is not { } mechanism)
        {
            objection = $"{request.Mechanism} is not offered here";
            return null;
        }

        if (!request.IsSecured && NeedsTls(mechanism))
        {
            objection = $"{mechanism.Name} is taken only where the client's connection is secured, and the asking server does not say so";
            return null;
        }

        var asked = sasl with
        {
            Peer = request.Client?.ToString(),
            Connection = new SaslConnection
            {
                Client = request.Client is { } client ? new IPEndPoint(client, 0) : null,
                IsSecured = request.IsSecured,
                TlsVersion = request.TlsVersion,
            },
            Service = request.Service,
            External = request is { HasValidCertificate: true, CertificateUser: { } name } ? new NamedUser(name, identify) : null,
        };
        var exchange = asked.Begin(mechanism);
        if (exchange is not null)
            return (mechanism, exchange);
        objection = mechanism is ExternalMechanism
            ? "the asking server names no valid certificate of the client (valid-client-cert, cert_username)"
            : $"{mechanism.Name} cannot be answered here";
        return null;
    }

    /// <summary>The mechanisms that every user can use, as the stores say now.</summary>
    public IReadOnlyList<string> Usual => usual();

    /// <summary>What a client can use, by whether its connection to the asking server is secured.</summary>
    /// <param name="common">The mechanisms that every user can use.</param>
    public IEnumerable<ISaslMechanism> TakenFrom(bool isSecured, IReadOnlyList<string> common) =>
        Offered(common).Where(m => isSecured || !NeedsTls(m));

    private SaslContext WithSomebody => sasl with { External = NamedUser.Some };

    private bool NeedsTls(ISaslMechanism mechanism) =>
        (mechanism.ExposesSecret && !options.TakesSecretsInClear) || Holds(options.MechanismsUnderTls, mechanism.Name);

    private IEnumerable<ISaslMechanism> Offered(IReadOnlyList<string> common)
    {
        // Another server would take ANONYMOUS for a login.
        var able = SaslMechanisms.All.Where(m => m is not (ScramMechanism { IsPlus: true } or AnonymousMechanism)
            && (m is ExternalMechanism && options.Mechanisms is not null ? WithSomebody : sasl).Begin(m) is not null
            && !Holds(options.WithoutMechanisms, m.Name)).ToList();
        return (options.Mechanisms ?? common)
            .Select(name => able.Find(m => m.Name.Equals(name, StringComparison.OrdinalIgnoreCase))).OfType<ISaslMechanism>().Distinct();
    }

    private static bool Holds(IReadOnlyList<string> names, string name) => names.Contains(name, StringComparer.OrdinalIgnoreCase);

    private sealed record Offer(IReadOnlyList<ISaslMechanism> Mechanisms, long At);

    /// <summary>Whom the asking server has recognized; that there is such a user is asked here.</summary>
    private sealed class NamedUser(string name, Func<string, CancellationToken, ValueTask<LoginAnswer>> identify) : IExternalIdentity
    {
        /// <summary>Stands for one while it is worked out what to offer; never asked.</summary>
        public static NamedUser Some { get; } = new(string.Empty, static (_, _) => new(new LoginAnswer.NoMatch("nobody")));

        public async ValueTask<LoginAnswer> IdentifyAsync(CancellationToken ct) => await identify(name, ct).ConfigureAwait(false) switch
        {
            LoginAnswer.NoMatch(var reason, var exists) =>
                new LoginAnswer.NoMatch($"the certificate is believed, but {name} may not log in: {reason}", exists),
            var other => other,
        };
    }
}
