using System.Collections.Immutable;
using System.Net;
using System.Security.Authentication;
using Postern.Configuration.Reading;
using Postern.Sasl;
using Postern.Smtp;
using Postern.Smtp.Transport;

namespace Postern.Configuration;

/// <summary>One entry of <c>listeners</c>: a way in, and what is on offer there.</summary>
/// <param name="Mechanisms">Registered names in the order of offer; null for all that the stores can answer.</param>
/// <param name="Clients">Who may connect; null for everyone.</param>
internal sealed record ListenerOptions(
    string Name,
    ImmutableArray<IPEndPoint> Endpoints,
    TlsMode Tls,
    AuthMode Auth,
    ImmutableArray<string>? Mechanisms,
    ImmutableArray<IPNetwork>? Clients)
{
    /// <summary>The stores that are asked here, as <c>accounts</c> calls them; null for all.</summary>
    public ImmutableArray<string>? Accounts { get; init; }

    /// <summary>Of an entry of <c>devices</c>, the one at this place; null for one of <c>listeners</c>.</summary>
    public int? Device { get; init; }

    public MailProtocol Protocol { get; init; }

    /// <summary>Other servers have logins checked here, and no mail is taken; null for a way in for mail.</summary>
    public AuthServiceOptions? AuthService { get; init; }

    public BareNewlines BareNewlines { get; init; }

    public AddressGrammar Addresses { get; init; }

    public ImmutableArray<string> WithoutMechanisms { get; init; } = [];

    public ImmutableArray<string> WithoutExtensions { get; init; } = [];

    public ImmutableArray<string> MechanismsUnderTls { get; init; } = [];

    /// <summary>Null for those of <c>tls.minimum</c>.</summary>
    public SslProtocols? TlsProtocols { get; init; }

    public TlsCiphers Ciphers { get; init; }

    public bool AsksForClientCertificate { get; init; }

    /// <summary>Load balancers that speak the PROXY protocol; null for none.</summary>
    public ImmutableArray<IPNetwork>? ProxyFrom { get; init; }

    /// <summary>Clients that may use XCLIENT; null for none.</summary>
    public ImmutableArray<IPNetwork>? XClientFrom { get; init; }

    public ImmutableArray<IPNetwork>? XVerpFrom { get; init; }

    /// <summary>Clients that may use XFORWARD; null for none.</summary>
    public ImmutableArray<IPNetwork>? XForwardFrom { get; init; }

    private static readonly Kind<MailProtocol?> Protocols = Kinds.Word<MailProtocol?>(
        ("smtp", MailProtocol.Smtp), ("lmtp", MailProtocol.Lmtp), (AuthServiceOptions.Word, null));

    internal static readonly Kind<BareNewlines> Newlines = Kinds.Word(
        ("reject", BareNewlines.Reject), ("normalize", BareNewlines.Normalize));

    private static readonly Kind<AddressGrammar> Grammars = Kinds.Word(
        ("lenient", AddressGrammar.Lenient), ("strict", AddressGrammar.Strict));

    private static readonly Kind<bool> CertificateRequests = Kinds.Word(("none", false), ("request", true));

#pragma warning disable CA5397, SYSLIB0039 // named for a listener on purpose, for devices that cannot do better
    internal static readonly Kind<SslProtocols?> TlsFloors = Kinds.Word<SslProtocols?>(
        ("1.0", SslProtocols.Tls | SslProtocols.Tls11 | SslProtocols.Tls12 | SslProtocols.Tls13),
        ("1.1", SslProtocols.Tls11 | SslProtocols.Tls12 | SslProtocols.Tls13),
        ("1.2", SslProtocols.Tls12 | SslProtocols.Tls13),
        ("1.3", SslProtocols.Tls13));
#pragma warning restore CA5397, SYSLIB0039

    internal static readonly Kind<TlsCiphers> CipherSets = Kinds.Word(
        ("modern", TlsCiphers.Modern), ("compatible", TlsCiphers.Compatible), ("legacy", TlsCiphers.Legacy));

    internal static readonly Kind<TlsMode> TlsModes =
        Kinds.Word(("none", TlsMode.None), ("starttls", TlsMode.StartTls), ("required", TlsMode.Required), ("implicit", TlsMode.Implicit));

    internal static readonly Kind<AuthMode> AuthModes =
        Kinds.Word(("off", AuthMode.Off), ("tls-only", AuthMode.TlsOnly), ("always", AuthMode.Always));

    internal static readonly Kind<string> MechanismNames = Kinds.NameOf("mechanism", SaslMechanisms.All.Select(static m => m.Name));

    internal static readonly Kind<string> ExtensionNames = Kinds.NameOf("extension", SmtpServer.OptionalExtensions);

    /// <summary>What is taken where nothing is said of ciphers.</summary>
    internal static TlsCiphers UsualCiphers(SslProtocols? floor) =>
#pragma warning disable CA5397, SYSLIB0039 // asked for, not used
        floor is { } spoken && spoken.HasFlag(SslProtocols.Tls11) ? TlsCiphers.Legacy : TlsCiphers.Modern;
#pragma warning restore CA5397, SYSLIB0039

    public static ListenerOptions Read(Section section)
    {
        var name = section.Required("name", Kinds.Text, "What logs, decisions and accounts call it.");
        var places = section.RequiredList(
            "listen",
            ListenPlace.Kind,
            "Where to listen. Port 0 takes a free port. `[::]` takes IPv6 clients only: name `0.0.0.0` beside it for IPv4. Where "
                + "`protocol` is `dovecot-auth` also the path of a Unix socket, `unix:/run/postern/auth`.");
        ImmutableArray<IPEndPoint> endpoints = places.IsDefault ? default : [.. places.Select(static p => p.Endpoint).OfType<IPEndPoint>()];
        var protocol = section.Value(
            "protocol",
            Protocols,
            MailProtocol.Smtp,
            "`smtp`",
            "`lmtp` answers the end of data once for each recipient (RFC 2033); never on port 25. `dovecot-auth` takes no mail: Postfix "
                + "([recipe](sasl-for-postfix.md)), Exim ([recipe](sasl-for-exim.md)) and other servers have logins checked there.");
        var authService = AuthServiceOptions.Read(section, places, isOne: protocol is null);
        var tls = section.Value(
            "tls",
            TlsModes,
            authService is null ? TlsMode.StartTls : TlsMode.None,
            "`starttls`",
            "`starttls` offers STARTTLS; `required` takes no mail before it; `implicit` speaks TLS from the first octet (port 465).");
        var auth = section.Value(
            "auth",
            AuthModes,
            tls == TlsMode.None && authService is null ? AuthMode.Off : AuthMode.TlsOnly,
            "`tls-only`; `off` where `tls` is `none`",
            "When AUTH is offered. `always` offers it in clear too, for devices that cannot do better. Where `protocol` is `dovecot-auth`: "
                + "with `tls-only` a secret is shown only if the server that asks says that its client's connection is secured.");
        var mechanisms = section.List(
            "mechanisms",
            MechanismNames,
            [],
            "all that every user of every store can use, without the MD5 family and ANONYMOUS",
            "The mechanisms to offer, in this order. The -PLUS forms bind the login to the TLS connection (`tls-exporter`, `tls-unique`, "
                + "`tls-server-end-point`); where they are not named, they are offered on connections that have one of the "
                + "first two (`postern status`).");
        var without = section.List(
            "without_mechanisms", MechanismNames, [], "none", "Mechanisms that are not offered here, of those that would be.");
        var underTls = section.List(
            "mechanisms_under_tls",
            MechanismNames,
            [],
            "none",
            "Where `auth` is `always`: mechanisms that are offered under TLS only, such as those that show the password.");
        var accounts = section.List(
            "accounts",
            Kinds.Text,
            [],
            "all",
            "The stores of `accounts` that are asked here, each by its `uri` (`users` for that section); in the order in which they stand "
                + "there. Whom only others know does not log in here. What the directory disables or grants counts whether it is "
                + "asked or not.");
        var clients = section.List(
            "clients", Kinds.Network, [], "everyone", "The networks that may connect; others are answered 554 and disconnected.");

        var withoutExtensions = section.List(
            "without_extensions",
            ExtensionNames,
            [],
            "none",
            "Keywords of EHLO that are neither announced nor taken here, such as `DSN` or `CHUNKING`, for clients that stumble over them. "
                + "AUTH and STARTTLS follow from `auth` and `tls`. REQUIRETLS is offered only where some route has a host that was named "
                + "and TLS: no other can keep it.");
        var newlines = section.Value(
            "bare_newlines",
            Newlines,
            BareNewlines.Reject,
            "`reject`",
            "A CR or LF that stands alone, and NUL: with `reject` content with one is refused, "
                + "and a command line with one ends the connection. With `normalize`, for devices that cannot do better, "
                + "each CR or LF in content becomes a CRLF, NUL is taken out, and a command line may end in LF. "
                + "Nothing but CRLF.CRLF ever ends a message.");
        var addresses = section.Value(
            "addresses",
            Grammars,
            AddressGrammar.Lenient,
            "`lenient`",
            "`lenient` takes addresses that exist beside RFC 5321: local parts of more than 64 octets, `a..b@`, "
                + "`.a@` and `a.@` without quotes, and sends them on as they are. `strict` answers them 501.");
        var floor = section.Value(
            "tls_minimum",
            TlsFloors,
            fallback: null,
            "`tls.minimum`",
            "The oldest TLS version spoken here. `1.0` and `1.1` are broken: only for devices that cannot do better, "
                + "on networks where that is acceptable.");
        var ciphers = section.Value(
            "ciphers",
            CipherSets,
            UsualCiphers(floor),
            "`modern`; `legacy` where `tls_minimum` is `1.0` or `1.1`",
            "What is taken below TLS 1.3, here alone. `modern`: ECDHE with AES-GCM, or AES-CBC under SHA-2. `compatible`, "
                + "for TLS 1.2 clients that cannot do that: also ChaCha20, AES-CBC under SHA-1, DHE, and RSA key exchange, "
                + "which has no forward secrecy. `legacy`, for devices: also 3DES where OpenSSL has it, short keys, "
                + "and what TLS 1.0 and 1.1 sign with. The suites are listed in docs/tls.md.");
        var certificates = section.Value(
            "client_certificates",
            CertificateRequests,
            fallback: false,
            "`none`",
            "`request` asks clients for a certificate in the handshake; it is never required, "
                + "and is nobody's login by itself (`external` says whose it is).");
        var proxies = section.List(
            "proxy_from",
            Kinds.Network,
            [],
            "nobody",
            "Load balancers whose connections must open with a PROXY protocol header (v1 or v2), which names the real client.");
        var xclient = section.List(
            "xclient_from",
            Kinds.Network,
            [],
            "nobody",
            "Clients that may name another client by XCLIENT. They can be anyone they like: list only your own filters.");
        var xforward = section.List(
            "xforward_from", Kinds.Network, [], "nobody", "Clients that may name the origin of a message for the log by XFORWARD.");
        var xverp = section.List(
            "authorized_verp_clients",
            Kinds.Network,
            [],
            "nobody",
            "Clients that may ask by XVERP that each recipient gets the message from a sender of its own "
                + "([aliases](aliases.md#a-sender-for-each-recipient)): programs for mailing lists.");

        if (protocol == MailProtocol.Lmtp && !endpoints.IsDefault && endpoints.Any(static e => e.Port == 25))
            section.Report("protocol", "LMTP on port 25 would be taken for SMTP (RFC 2033 §5)", "another port, or smtp");
        if (tls == TlsMode.None && ((string[])["tls_minimum", "ciphers", "client_certificates"]).FirstOrDefault(section.Has) is { } vain)
            section.Report(vain, "where tls is 'none' there is no handshake", "another tls, or the key left out");
        if (tls == TlsMode.None && auth == AuthMode.TlsOnly && authService is null)
            section.Report(
                "auth", "'tls-only' where tls is 'none' means that AUTH is never offered", "'off' or 'always' here, or another tls");
        if (auth != AuthMode.Always && section.Has("mechanisms_under_tls"))
            section.Report(
                "mechanisms_under_tls",
                "where auth is not 'always' every mechanism is offered under TLS only",
                "no mechanisms_under_tls here, or auth 'always'");
        if (authService is not null && auth == AuthMode.Off)
            section.Report("auth", "where protocol is 'dovecot-auth' logins are all there is", "'tls-only' or 'always'");
        if (section.HasEmptyList("accounts"))
            section.Report("accounts", "without a store nobody can log in here", "at least one, the key left out for all, or auth 'off'");
        if (section.Has("mechanisms") && without.FirstOrDefault(name => mechanisms.Contains(name)) is { } both)
            section.Report("without_mechanisms", $"{both} is in mechanisms too");
        if (auth == AuthMode.Off && section.Has("mechanisms"))
            section.Report("mechanisms", "where auth is 'off' no mechanism is ever offered", "no mechanisms here, or another auth");
        return new(name, endpoints, tls, auth, section.Has("mechanisms") ? mechanisms : null, section.Has("clients") ? clients : null)
        {
            Accounts = section.Has("accounts") ? accounts : null,
            Protocol = protocol ?? MailProtocol.Smtp,
            AuthService = authService,
            WithoutMechanisms = without,
            MechanismsUnderTls = underTls,
            WithoutExtensions = withoutExtensions,
            BareNewlines = newlines,
            Addresses = addresses,
            TlsProtocols = floor,
            Ciphers = ciphers,
            AsksForClientCertificate = certificates,
            ProxyFrom = section.Has("proxy_from") ? proxies : null,
            XClientFrom = section.Has("xclient_from") ? xclient : null,
            XForwardFrom = section.Has("xforward_from") ? xforward : null,
            XVerpFrom = section.Has("authorized_verp_clients") ? xverp : null,
        };
    }
}
