using System.Globalization;
using Postern.Sasl;
using Postern.Smtp.Replies;
using Postern.Smtp.Transport;

namespace Postern.Smtp.Session;

/// <summary>
/// What one listener offers in one state, and the EHLO reply that says so (RFC 5321 §4.1.1.1). Derived from mechanisms, verifiers, TLS and
/// the listener; never configured by hand. Made once for each listener and TLS state.
/// </summary>
internal sealed class Capabilities
{
    private Capabilities(IReadOnlyList<ISaslMechanism> mechanisms, bool offersTls, Reply ehlo)
    {
        Mechanisms = mechanisms;
        OffersTls = offersTls;
        Ehlo = ehlo;
    }

    public IReadOnlyList<ISaslMechanism> Mechanisms { get; }

    public bool OffersTls { get; }

    public Reply Ehlo { get; }

    public static Capabilities Derive(SmtpServerOptions server, SmtpListenerOptions listener, bool isTls)
    {
        var mechanisms = MechanismsFor(server, listener, isTls);
        var offersTls = !isTls && server.Tls is not null && listener.Tls is (TlsMode.StartTls or TlsMode.Required);
        List<string> lines =
        [
            server.Hostname,
            "PIPELINING",
            string.Create(CultureInfo.InvariantCulture, $"SIZE {server.Limits.MessageOctets}"),
            "8BITMIME",
            "ENHANCEDSTATUSCODES",
        ];
        if (offersTls)
            lines.Add("STARTTLS");
        if (mechanisms.Count > 0)
            lines.Add("AUTH " + string.Join(' ', mechanisms.Select(static m => m.Name)));
        return new Capabilities(mechanisms, offersTls, new Reply(250, status: null, lines));
    }

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
