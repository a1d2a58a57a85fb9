using System.Collections.Immutable;
using System.Net;
using Postern.Configuration.Reading;
using Postern.Configuration.Usage;
using Postern.Relay.Policy;
using Postern.Relay.Policy.Devices;
using Postern.Relay.Policy.Limits;
using Postern.Smtp.Grammar;
using Postern.Smtp.Transport;

namespace Postern.Configuration.Devices;

/// <summary>
/// One entry of <c>devices</c>: what printers and scanners may send, and what is put up with from them, nowhere else.
/// </summary>
/// <param name="Terms">Without its listeners, until <see cref="Place"/>.</param>
/// <param name="Listener">Of its own; null where it comes by those of others.</param>
/// <param name="Through">The listeners it names.</param>
internal sealed record DeviceOptions(DeviceTerms Terms, ListenerOptions? Listener, ImmutableArray<string> Through)
{
    /// <summary>What is said of a listener that is there for the devices.</summary>
    private static readonly ImmutableArray<string> OfListener =
        ["tls", "tls_minimum", "ciphers", "auth", "mechanisms", "bare_newlines", "without_extensions"];

    private static readonly Kind<string> Names = new(
        "name", "letters, digits, - and _", static (string text, out string value) => DeviceTerms.IsName(value = text), []);

    private static readonly Kind<bool?> Logins = Kinds.Word<bool?>(("none", null), ("optional", false), ("required", true));

    /// <summary>An address, or null for one of the login's own.</summary>
    private static readonly Kind<Author?> Authors = new(
        "address \\| `login`",
        "an address such as scanner@example.org, in US-ASCII, or 'login'",
        static (string text, out Author? value) =>
        {
            Mailbox? address = null;
            var isRead = text == "login" || (Mailbox.TryParse(text, out address) && address.IsAscii);
            value = new Author(address);
            return isRead;
        },
        []);

    private static readonly Kind<string> Recipients = new(
        "recipient",
        "an address, or @ and a domain, such as boss@example.org or @example.org",
        static (string text, out string value) => (value = RecipientText.TryParse(text)!) is not null,
        []);

    public static DeviceOptions Read(Section section)
    {
        var name = section.Required("name", Names, "What logs, decisions and limits call it; its listener is called so too.");
        var listens = section.Has("listen");
        var clients = section.List(
            "clients",
            Kinds.Network,
            [],
            "none",
            "The networks of the devices. Nobody else can connect to their listener (554). May be left out where `login` is `required` and "
                + "there is a `listen`.");
        bool? needsLogin = section.Value(
            "login",
            Logins,
            fallback: null,
            "`none`",
            "`none`: who is in `clients` sends, and AUTH is not offered. `optional`: the same, for devices that insist on a login. "
                + "`required`: nothing is taken without one.");
        var isOffered = needsLogin is not null;
        var through = section.List(
            "listener",
            Kinds.Text,
            [],
            "all of `listeners`",
            "Where there is no `listen`: the listeners by which the devices come, those of other entries of `devices` among them.");
        var from = section.Value(
            "from",
            Authors,
            fallback: null,
            "as they say",
            "The sender of the envelope and the author in From of all that they send, whatever they say; what From said becomes "
                + "Reply-To. `login`, where `login` is `required`: what its account may not send as becomes an address of the account. "
                + "Left out: `rules` are asked whether they may send as what they say.");
        var listener = ReadListener(section, name!, clients, isOffered);
        var options = new DeviceOptions(
            new DeviceTerms(name ?? string.Empty)
            {
                Clients = clients,
                Login = needsLogin == true ? LoginNeed.Required : LoginNeed.Optional,
                From = from?.Address,
                IsFromRewritten = from is { Address: null },
                To = section.List(
                    "to", Recipients, [], "anybody", "To whom they may send: addresses, or `\"@example.org\"` for a whole domain."),
                Limits =
                [
                    .. Limit(section, LimitThing.Messages, "Messages of each device in a time, such as `200/1d`; several as a list. "
                        + "A device is an address (IPv6: a /64), or a login where one is required. `postern limits` shows what is used."),
                    .. Limit(section, LimitThing.Recipients, "The same of recipients."),
                ],
            },
            listens ? listener : null,
            through);
        if (!section.IsDescribing)
            Check(section, options, listens, isOffered);
        return options;
    }

    /// <summary>The same, when it is known which listeners there are.</summary>
    /// <param name="usual">The names of those of <c>listeners</c> that take mail.</param>
    public DeviceOptions Place(ImmutableArray<string> usual) => this with
    {
        Terms = Terms with { Listeners = Listener is not null ? [Terms.Name] : Through.IsEmpty ? usual : Through },
    };

    /// <summary>The listener of these devices, open to all who come by it.</summary>
    /// <param name="all">Every entry, placed.</param>
    /// <param name="index">Of this entry.</param>
    public ListenerOptions? WithClients(ImmutableArray<DeviceOptions> all, int index)
    {
        var here = all.Where(d => d.Terms.Listeners.Contains(Terms.Name, StringComparer.OrdinalIgnoreCase)).ToList();
        return Listener is null ? null : Listener with
        {
            Device = index,
            Clients = here.Exists(static d => d.Terms.Clients.IsEmpty)
                ? null
                : [.. here.SelectMany(static d => d.Terms.Clients).Distinct()],
        };
    }

    private static IEnumerable<ThingLimit> Limit(Section section, LimitThing what, string doc)
    {
        var limits = section.List(what.Word(), UsageLimitText.KindOf(what), [], "no limit", doc);
        if (limits.DistinctBy(static limit => limit.Window).Count() < limits.Length)
            section.Report(what.Word(), "two limits within the same time");
        return limits.Select(limit => new ThingLimit(what, limit));
    }

    private static ListenerOptions ReadListener(
        Section section, string name, ImmutableArray<IPNetwork> clients, bool isOffered)
    {
        var endpoints = section.List(
            "listen",
            Kinds.Endpoint,
            [],
            "none: the devices come by `listener`",
            "A listener for the devices alone, such as `0.0.0.0:2525`. What follows is said of it, and counts nowhere else.");
        var tls = section.Value(
            "tls",
            ListenerOptions.TlsModes,
            TlsMode.StartTls,
            "`starttls`",
            "As for `listeners`; `starttls` also takes mail without it.");
        var floor = section.Value(
            "tls_minimum",
            ListenerOptions.TlsFloors,
            fallback: null,
            "`tls.minimum`",
            "The oldest TLS version spoken here: `1.0` and `1.1` are broken, and some devices know nothing else.");
        var ciphers = section.Value(
            "ciphers",
            ListenerOptions.CipherSets,
            ListenerOptions.UsualCiphers(floor),
            "`modern`; `legacy` where `tls_minimum` is `1.0` or `1.1`",
            "As for `listeners`.");
        var auth = section.Value(
            "auth",
            ListenerOptions.AuthModes,
            isOffered ? AuthMode.TlsOnly : AuthMode.Off,
            "`tls-only`; `off` where `login` is `none`",
            "`always` takes passwords in clear, from `clients` alone.");
        var mechanisms = section.List(
            "mechanisms",
            ListenerOptions.MechanismNames,
            [],
            "as for `listeners`",
            "The mechanisms to offer, such as `[LOGIN]` for devices that choose one they cannot do.");
        return new ListenerOptions(name, endpoints, tls, auth, section.Has("mechanisms") ? mechanisms : null, clients)
        {
            TlsProtocols = floor,
            Ciphers = ciphers,
            BareNewlines = section.Value(
                "bare_newlines",
                ListenerOptions.Newlines,
                BareNewlines.Normalize,
                "`normalize`",
                "`normalize` mends lines that end in LF or CR alone, as many devices write them; `reject` refuses them. "
                    + "Nothing but CRLF.CRLF ever ends a message."),
            WithoutExtensions = section.List(
                "without_extensions",
                ListenerOptions.ExtensionNames,
                [],
                "none",
                "Keywords of EHLO that are not announced, for devices that stumble over them."),
        };
    }

    private static void Check(Section section, DeviceOptions options, bool listens, bool isOffered)
    {
        var terms = options.Terms;
        var isRequired = terms.Login == LoginNeed.Required;
        var areAnybody = !section.Has("clients") || section.HasEmptyList("clients");
        if (!listens && OfListener.FirstOrDefault(section.Has) is { } vain)
            section.Report(vain, "it is said of a listener of their own, and there is none", "'listen' beside it, or the key left out");
        if (listens && options.Listener is { Endpoints.IsEmpty: true })
            section.Report("listen", "the list is empty", "at least one: an IP address and a port such as 0.0.0.0:2525");
        if (listens && section.Has("listener"))
            section.Report("listener", "they have a listener of their own: 'listen'", "one of the two");
        if (areAnybody && !isRequired)
            section.Report(
                "clients",
                "nothing says which clients are the devices, and they need no login: whoever comes could send",
                "their networks, or 'login: required'");
        else if (areAnybody && !listens)
            section.Report(
                "clients", "without a listener of their own all who come would be devices", "their networks, or 'listen'");
        if (terms.IsFromRewritten && !isRequired)
            section.Report("from", "'login' where they send without one", "an address, or 'login: required'");
        if (options.Listener is not { } own || !listens)
            return;
        if (!isOffered && own.Auth != AuthMode.Off)
            section.Report("auth", "where login is 'none' AUTH is never offered", "'login: optional' or 'required', or the key left out");
        if (!isOffered && section.Has("mechanisms"))
            section.Report("mechanisms", "where login is 'none' no mechanism is ever offered", "'login: optional' or 'required'");
        if (isOffered && own.Auth == AuthMode.Off)
            section.Report("auth", "'off' where they log in", "'tls-only' or 'always'");
        if (isOffered && own is { Tls: TlsMode.None, Auth: AuthMode.TlsOnly })
            section.Report("auth", "'tls-only' where tls is 'none' means that AUTH is never offered", "'always', or another tls");
        if (areAnybody && own.Auth == AuthMode.Always)
            section.Report("auth", "passwords in clear from everywhere", "'clients', or 'tls-only'");
        if (own.Tls == TlsMode.None && ((string[])["tls_minimum", "ciphers"]).FirstOrDefault(section.Has) is { } idle)
            section.Report(idle, "where tls is 'none' there is no handshake", "another tls, or the key left out");
    }

    /// <param name="Address">Null for one of the login's own.</param>
    private sealed record Author(Mailbox? Address);
}
