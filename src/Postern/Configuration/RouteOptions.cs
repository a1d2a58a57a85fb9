using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Configuration.Shaping;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Shaping;
using Postern.Smtp.Client;

namespace Postern.Configuration;

/// <summary>One entry of <c>delivery.routes</c>, in the words that <see cref="RouteTable.Parse"/> reads.</summary>
/// <param name="Route">Its <see cref="Route.To"/> is null where the entry was wrong.</param>
internal sealed record RouteOptions(Route Route)
{
    private const string MailExchangers = "mx";

    /// <summary>What is said about mail that it decides about.</summary>
    public ImmutableDictionary<ShapingKey, ShapingValue> Shaping { get; init; } = ImmutableDictionary<ShapingKey, ShapingValue>.Empty;

    /// <summary>Where to, and whether it logs in there, for people.</summary>
    public string Destination => string.Concat(
        string.Join(", then ", Route.Via),
        Route.Login is { Credentials.User: var user } ? $", logs in as {user}" : null,
        Route.Grant is { TokenUrl.Host: var issuer } ? $" by a token of {issuer}" : null,
        Route.Pool is { } pool ? $", from addresses of {pool}" : null,
        Route.Fallback.IsEmpty ? null : $", in their absence {string.Join(", then ", Route.Fallback)}");

    public static RouteOptions Read(Section section)
    {
        var to = section.Value(
            "to",
            Kinds.Text,
            null!,
            "must be given, or one of the conditions below; `*` with those",
            "The recipient domain this route is for; `.example.org` for every domain below it, `\"*\"` for all others.");
        var from = section.List(
            "from",
            Kinds.Text,
            [],
            "every sender",
            "Only for mail of these senders: an address, `\"@example.org\"`, `\"@.example.org\"` for every domain below it, "
                + "or `<>` for returned mail.");
        var logins = section.List("login_is", Kinds.Text, [], "every login, and none", "Only for mail that these logins submitted.");
        var listeners = section.List(
            "listener", Kinds.Text, [], "every listener", "Only for mail that came in by the listeners of these names.");
        var tenants = section.List("tenant", Kinds.Text, [], "every tenant, and none", "Only for mail of accounts of these tenants.");
        if (to is null && !section.Has("to") && from.IsEmpty && logins.IsEmpty && listeners.IsEmpty && tenants.IsEmpty)
            section.ReportMissing("to", Kinds.Text.Expected);
        else if (!section.Has("to"))
            to = "*";
        var route = new Route(
            to!,
            section.List(
                "via",
                Kinds.Text,
                [MailExchangers],
                "`mx`",
                "The server to hand messages to, or several, tried in this order: `smtp://host:port`, with `?tls=none`, "
                    + "`?tls=opportunistic` (the default without a login) or `?tls=required` (the default with one); "
                    + "`smtps://host:port` for implicit TLS; `smtp+mx://domain` for its mail exchangers; `smtp+srv://domain` or "
                    + "`smtps+srv://domain` for its submission servers by SRV; `?weight=3` on each of several for parts in the place of an "
                    + "order; `lmtp://host:port` or `lmtp:unix:/path` for a server that has the mailboxes, "
                    + "by LMTP; `mx` for the mail exchangers of the recipient's domain. In the place of a server, one of: "
                    + "`maildir:/path/{user}`, `pipe:/command argument`, `discard:`, `error:550 5.1.1 text`. "
                    + "[routes](routes.md) has each of them."))
        {
            From = from,
            Logins = logins,
            Listeners = listeners,
            Tenants = tenants,
            Trusted = TrustedFile.Read(
                section,
                "A PEM file of certificates: the server's must verify against one of them, or be one of them. Read again when it changes."),
            Fallback = section.List(
                "fallback",
                Kinds.Text,
                [],
                "none",
                "With `via: mx`: servers as in `via` that take the mail when no exchanger of the domain could be spoken to for "
                    + "`fallback_after`."),
            FallbackAfter = section.Value(
                "fallback_after",
                Kinds.Duration,
                TimeSpan.FromMinutes(15),
                "15m",
                "How long exchangers must have been away before `fallback` takes their mail."),
            Pool = section.Value<string?>(
                "pool",
                Kinds.Text!,
                fallback: null,
                "that of the tenant, else none",
                "The name of a pool whose addresses connections of this route come from, with the names that go with them; "
                    + "without `bind` and `hello`."),
            Bind = section.Value(
                "bind",
                Kinds.IpAddress,
                null!,
                "the system's choice",
                "The address of this machine that connections of this route come from. "
                    + "Hosts are then reached by addresses of its family only."),
            Hello = section.Value("hello", Kinds.Text, null!, "`server.hostname`", "What this server calls itself on this route, in EHLO."),
            MayHaveOurName = section.Value(
                "same_name",
                Kinds.Word(("true", true), ("false", false)),
                fallback: false,
                "false",
                "`true`: the server of `via` may call itself by `server.hostname` and is another, such as a filter on this machine. "
                    + "Otherwise mail to a server of our own name is returned at once (5.4.6), as it would come back."),
            Forward = section.Value(
                "forward_client",
                Kinds.Word(
                    ("none", ClientForward.None),
                    ("xclient", ClientForward.XClient),
                    ("xforward", ClientForward.XForward),
                    ("proxy", ClientForward.Proxy),
                    ("proxy-v2", ClientForward.ProxyV2)),
                ClientForward.None,
                "`none`",
                "For a server of your own: how it is told whose mail it is given. `xclient` and `xforward` are Postfix's commands, "
                    + "`proxy` and `proxy-v2` the header of HAProxy, versions 1 and 2. [routes](routes.md) has what each of them does."),
            InFlight = section.Value(
                "in_flight",
                Kinds.UpTo(NextHop.SmartHost.MostInFlight),
                fallback: 0,
                "8",
                "How many messages may be on their way at a time on one connection to a server of `via` that is far away (10 ms and more) "
                    + "and takes chunks (CHUNKING); `1` sends one after another. [scheduling](scheduling.md) says what follows from it.")
                is > 0 and var count ? count : null,
        };
        if (section.OptionalChild(
                "login",
                LoginOptions.Read,
                "How the route logs in to its server, before any mail. A login that fails defers its messages, also when the server "
                    + "says 535: what is wrong is the account or this file, and no message bounces for it.") is { } login)
            route = route with { Login = login.ToLogin(), Grant = login.Grant, Certificate = login.Certificate };
        foreach (var key in (string[])["from", "login_is", "listener", "tenant", "via", "fallback"])
        {
            if (section.HasEmptyList(key))
                section.Report(key, "the list is empty", "at least one, or the key left out");
        }

        if (to is not null
            && !route.Via.IsEmpty
            && RouteTable.Parse([route]) is RouteParse.Wrong(_, var wrong, var message) { Item: var item })
        {
            if (item is { } index)
                section.Report(wrong, index, message);
            else
                section.Report(wrong, message);
        }

        return new RouteOptions(route)
        {
            Shaping = section.OptionalChild(
                "shaping",
                ShapingValues.Read,
                "Limits and rates of this route, as an entry for it in the shaping file ([shaping](shaping.md)).")
                ?? ImmutableDictionary<ShapingKey, ShapingValue>.Empty,
        };
    }
}
