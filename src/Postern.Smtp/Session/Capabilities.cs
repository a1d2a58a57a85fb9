using System.Collections.Immutable;
using Postern.Sasl;
using Postern.Smtp.Extensions;
using Postern.Smtp.Replies;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Session;

/// <summary>
/// What one listener offers in one state, and the EHLO reply that says so (RFC 5321 §4.1.1.1). Derived from the extension table, mechanisms,
/// verifiers, TLS and the listener; never configured by hand. Made once for each listener and TLS state.
/// </summary>
internal sealed class Capabilities
{
    private Capabilities(Offer offer)
    {
        Mechanisms = offer.Mechanisms;
        OffersTls = offer.OffersTls;
        Ehlo = new Reply(250, status: null, [offer.Server.Hostname, .. ExtensionTable.All.Select(e => e.Announce(offer)).OfType<string>()]);
        ImmutableArray<Extension> taken = [.. ExtensionTable.All.Where(e => e.Takes?.Invoke(offer) ?? e.Announce(offer) is not null)];
        MailParameters = [.. taken.SelectMany(static e => e.Mail)];
        RecipientParameters = [.. taken.SelectMany(static e => e.Rcpt)];
    }

    public IReadOnlyList<ISaslMechanism> Mechanisms { get; }

    public bool OffersTls { get; }

    public Reply Ehlo { get; }

    /// <summary>The parameters that MAIL takes.</summary>
    public ImmutableArray<Parameter<MailParameters>> MailParameters { get; }

    /// <summary>The parameters that RCPT takes.</summary>
    public ImmutableArray<Parameter<RecipientParameters>> RecipientParameters { get; }

    public static Capabilities Derive(SmtpServerOptions server, SmtpListenerOptions listener, bool isTls) =>
        new(new Offer(server, listener, isTls, MechanismsFor(server, listener, isTls), MechanismsFor(server, listener, isTls: true)));

    private static List<ISaslMechanism> MechanismsFor(SmtpServerOptions server, SmtpListenerOptions listener, bool isTls)
    {
        var allowed = listener.Auth switch
        {
            AuthMode.Always => true,
            AuthMode.TlsOnly => isTls,
            _ => false,
        };
        if (!allowed)
            return [];
        var able = server.Mechanisms.Where(m => m.TryStart(server.Sasl) is not null);
        return listener.Mechanisms is { } wanted
            ? [.. wanted.Select(name => able.FirstOrDefault(m => m.Name.Equals(name, StringComparison.OrdinalIgnoreCase))).OfType<ISaslMechanism>().Distinct()]
            : [.. able];
    }
}
