using System.Collections.Immutable;
using Postern.Sasl;
using Postern.Sasl.Mechanisms;
using Postern.Smtp.Extensions;
using Postern.Smtp.Replies;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Dialogue;

/// <summary>
/// What one listener offers in one state, and the EHLO reply that says so (RFC 5321 §4.1.1.1). Derived from the extension table,
/// mechanisms, verifiers, TLS, login, trust in the peer and the listener; never configured by hand. Made once for each listener and state.
/// </summary>
internal sealed class Capabilities
{
    /// <summary>How long a reply with a date in it is used.</summary>
    private static readonly TimeSpan Freshness = TimeSpan.FromHours(1);

    private static readonly ChannelBindings NoBindings = new([]);

    private readonly Offer offer;
    private readonly bool isDated;
    private volatile EhloReply ehlo;

    private Capabilities(Offer offer)
    {
        this.offer = offer;
        Mechanisms = offer.Mechanisms;
        OffersTls = offer.OffersTls;
        ehlo = MakeEhlo();
        isDated = ExtensionTable.All.Any(e => e.IsDated && e.LineFor(offer) is not null);
        ImmutableArray<Extension> taken = [.. ExtensionTable.All.Where(e => e.IsTaken(offer))];
        TakesUtf8 = taken.Contains(SmtpUtf8.Row);
        MailParameters = ExtensionTable.Merge(taken.SelectMany(static e => e.Mail));
        RecipientParameters = ExtensionTable.Merge(taken.SelectMany(static e => e.Rcpt));
    }

    public IReadOnlyList<ISaslMechanism> Mechanisms { get; }

    public bool OffersTls { get; }

    /// <summary>Whether SMTPUTF8 is on offer.</summary>
    public bool TakesUtf8 { get; }

    public Reply Ehlo
    {
        get
        {
            if (isDated && offer.Server.Clock.GetElapsedTime(ehlo.MadeAt) > Freshness)
                ehlo = MakeEhlo();
            return ehlo.Reply;
        }
    }

    /// <summary>The parameters that MAIL takes.</summary>
    public ImmutableArray<Parameter<MailParameters>> MailParameters { get; }

    /// <summary>The parameters that RCPT takes.</summary>
    public ImmutableArray<Parameter<RecipientParameters>> RecipientParameters { get; }

    /// <param name="ties">The connection has what clients bind to (<see cref="ChannelBindings.TiesTheConnection"/>).</param>
    public static Capabilities Derive(
        SmtpServerOptions server,
        SmtpListenerOptions listener,
        bool isTls,
        bool isLoggedIn,
        PeerTrust trust,
        bool hasCertificate = false,
        bool ties = false) =>
        new(new Offer(
            server,
            listener,
            isTls,
            isLoggedIn,
            MechanismsFor(server, listener, isTls, hasCertificate, ties),
            MechanismsFor(server, listener, isTls: true, hasCertificate: true, ties: true)) { Trust = trust });

    /// <summary>Whether a client that shows a certificate on this listener can be somebody by it.</summary>
    public static bool TakesCertificates(SmtpServerOptions server, SmtpListenerOptions listener) =>
        listener.AsksForClientCertificate && listener.Tls != TlsMode.None && server.CertificateUsersOn(listener) is not null;

    private EhloReply MakeEhlo() => new(
        new Reply(250, status: null, [offer.Server.Hostname, .. ExtensionTable.All.Select(e => e.LineFor(offer)).OfType<string>()]),
        offer.Server.Clock.GetTimestamp());

    private static List<ISaslMechanism> MechanismsFor(
        SmtpServerOptions server, SmtpListenerOptions listener, bool isTls, bool hasCertificate, bool ties)
    {
        var allowed = listener.Auth switch
        {
            AuthMode.Always => true,
            AuthMode.TlsOnly => isTls,
            _ => false,
        };
        if (!allowed)
            return [];

        // What a session knows beside what the server does stands for itself here: whether there is TLS, and a certificate of the client.
        var sasl = server.SaslFor(listener, session: null, mechanism: string.Empty);
        var context = sasl with
        {
            Channel = isTls ? NoBindings : null,
            External = isTls && hasCertificate && TakesCertificates(server, listener) ? SomeCertificate.Instance : sasl.External,
        };
        // Clients that can bind take a -PLUS form wherever it is offered, and try nothing else: without what they bind to it waits to be
        // named.
        var takesPlus = ties || listener is { Mechanisms: not null, WithholdsUnboundPlus: false };
        var able = server.Mechanisms.Where(
            m => context.Begin(m) is not null
                && (takesPlus || m is not ScramMechanism { IsPlus: true })
                && !Holds(listener.WithoutMechanisms, m)
                && (isTls || !Holds(listener.MechanismsUnderTls, m)));
        return listener.Mechanisms is { } wanted
            ? [.. wanted.Select(name => able.FirstOrDefault(m => m.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
                .OfType<ISaslMechanism>().Distinct()]
            : [.. able.Where(static m => !m.IsOptIn)];
    }

    private static bool Holds(IReadOnlyList<string> names, ISaslMechanism mechanism) =>
        names.Contains(mechanism.Name, StringComparer.OrdinalIgnoreCase);

    private sealed record EhloReply(Reply Reply, long MadeAt);
}
