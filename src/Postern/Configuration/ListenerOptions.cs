using System.Collections.Immutable;
using System.Net;
using Postern.Configuration.Reading;
using Postern.Sasl;
using Postern.Smtp.Transport;

namespace Postern.Configuration;

/// <summary>One entry of <c>listeners</c>: a way in, and what is on offer there.</summary>
/// <param name="Mechanisms">Registered names in the order of offer; null for all that the stores can answer.</param>
/// <param name="Clients">Who may connect; null for everyone.</param>
internal sealed record ListenerOptions(
    string Name, ImmutableArray<IPEndPoint> Endpoints, TlsMode Tls, AuthMode Auth, ImmutableArray<string>? Mechanisms, ImmutableArray<IPNetwork>? Clients)
{
    private static readonly Kind<TlsMode> TlsModes =
        Kinds.Word(("none", TlsMode.None), ("starttls", TlsMode.StartTls), ("required", TlsMode.Required), ("implicit", TlsMode.Implicit));

    private static readonly Kind<AuthMode> AuthModes =
        Kinds.Word(("off", AuthMode.Off), ("tls-only", AuthMode.TlsOnly), ("always", AuthMode.Always));

    private static readonly Kind<string> MechanismNames = Kinds.NameOf("mechanism", SaslMechanisms.All.Select(static m => m.Name));

    public static ListenerOptions Read(Section section)
    {
        var name = section.Required("name", Kinds.Text, "What logs, decisions and accounts call it.");
        var endpoints = section.RequiredList("listen", Kinds.Endpoint, "Where to listen. Port 0 takes a free port. `[::]` takes IPv6 clients only: name `0.0.0.0` beside it for IPv4.");
        var tls = section.Value("tls", TlsModes, TlsMode.StartTls, "`starttls`", "`starttls` offers STARTTLS; `required` takes no mail before it; `implicit` speaks TLS from the first octet (port 465).");
        var auth = section.Value("auth", AuthModes, tls == TlsMode.None ? AuthMode.Off : AuthMode.TlsOnly, "`tls-only`; `off` where `tls` is `none`", "When AUTH is offered. `always` offers it in clear too, for devices that cannot do better.");
        var mechanisms = section.List("mechanisms", MechanismNames, [], "all that the stores can answer", "The mechanisms to offer, in this order.");
        var clients = section.List("clients", Kinds.Network, [], "everyone", "The networks that may connect; others are answered 554 and disconnected.");

        if (tls == TlsMode.None && auth == AuthMode.TlsOnly)
            section.Report("auth", "'tls-only' where tls is 'none' means that AUTH is never offered", "'off' or 'always' here, or another tls");
        if (auth == AuthMode.Off && section.Has("mechanisms"))
            section.Report("mechanisms", "where auth is 'off' no mechanism is ever offered", "no mechanisms here, or another auth");
        return new(name, endpoints, tls, auth, section.Has("mechanisms") ? mechanisms : null, section.Has("clients") ? clients : null);
    }
}
