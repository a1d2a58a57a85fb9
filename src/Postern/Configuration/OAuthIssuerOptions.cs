using System.Collections.Immutable;
using System.Net;
using Postern.Configuration.Reading;
using Postern.Relay.Accounts.OAuth;
using Postern.Relay.Delivery;
using Postern.Sasl;

namespace Postern.Configuration;

/// <summary>One entry of <c>oauth</c>: whose bearer tokens are believed (OAUTHBEARER, XOAUTH2), and for what.</summary>
internal sealed record OAuthIssuerOptions(
    string Issuer, Uri? KeySet, Uri? Introspection, string? ClientId, Secret? ClientSecret, string Audience, string UserClaim)
{
    private static readonly Kind<string> AlgorithmNames = Kinds.NameOf(
        "algorithm", new TokenIssuer(string.Empty, null, null, string.Empty).Algorithms);

    public ImmutableArray<string> Algorithms { get; init; }

    public string? Scope { get; init; }

    public TimeSpan Leeway { get; init; }

    public static OAuthIssuerOptions Read(Section section)
    {
        var options = new OAuthIssuerOptions(
            section.Required("issuer", Kinds.Text, "What the `iss` of a token must say, to the letter."),
            Address(
                section,
                "jwks",
                "The issuer's public keys (RFC 7517): `file:///path` or `https://`. Read again every hour, "
                    + "and when a token names a key that is not in it.",
                allowFile: true),
            Address(
                section,
                "introspection",
                "Instead of `jwks`: the address that says whether a token is good (RFC 7662), for tokens that cannot be verified here. "
                    + "`https://`; `http://` on this machine only.",
                allowFile: false),
            section.Value<string?>("client_id", Kinds.Text!, fallback: null, "none", "What this server is called there."),
            section.Secret(
                "client_secret",
                "How it proves itself there: as every secret, itself, `file:PATH`, `credential:NAME`, `vault:PATH#KEY` or "
                    + "`${VARIABLE}`."),
            section.Required(
                "audience", Kinds.Text, "What must be in the `aud` of a token: a token for another service logs nobody in here."),
            section.Value(
                "user_claim",
                Kinds.Text,
                "sub",
                "`sub`",
                "The claim that holds the account's name, such as `email` or `preferred_username`. Take one that users cannot change."))
        {
            Algorithms = section.List(
                "algorithms",
                AlgorithmNames,
                new TokenIssuer(string.Empty, null, null, string.Empty).Algorithms,
                "all",
                "The signature algorithms that are accepted (RFC 7518)."),
            Scope = section.Value<string?>("scope", Kinds.Text!, fallback: null, "any", "A scope that a token must have."),
            Leeway = section.Value(
                "leeway", Kinds.Duration, TimeSpan.FromMinutes(1), "1m", "How far the issuer's clock may differ from this one."),
        };
        if (options is { KeySet: null, Introspection: null } && !section.Has("jwks") && !section.Has("introspection"))
            section.Report("jwks", "nothing says whether a token is good", "jwks or introspection");
        if (section.Has("jwks") && section.Has("introspection"))
            section.Report("introspection", "jwks and introspection exclude each other", "one of them");
        if (section.Has("introspection") && (!section.Has("client_id") || !section.Has("client_secret")))
            section.Report(
                "introspection", "the address answers only who proves itself (RFC 7662 §2.1)", "client_id and client_secret as well");
        if (!section.Has("introspection") && (section.Has("client_id") || section.Has("client_secret")))
            section.Report(section.Has("client_id") ? "client_id" : "client_secret", "it is of use with introspection only");
        if (options.Leeway > TimeSpan.FromMinutes(10))
            section.Report("leeway", "a clock that is wrong by more than ten minutes", "at most 10m");
        return options;
    }

    public TokenIssuer ToIssuer() =>
        new(Issuer, KeySet, Introspection is { } address
            ? new IntrospectionEndpoint(address, ClientId!, ClientSecret!)
            : null, Audience, UserClaim) { Algorithms = Algorithms, Scope = Scope, Leeway = Leeway };

    private static Uri? Address(Section section, string key, string doc, bool allowFile)
    {
        if (section.Value<string?>(key, Kinds.Text!, fallback: null, "none", doc) is not { } text)
            return null;
        var expected = allowFile ? "file:///path or https://host/path" : "https://host/path";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address)
            || address.UserInfo.Length > 0
            || RouteTable.HostOf(address) is null
            || !(address.Scheme == Uri.UriSchemeHttps || (allowFile && address.IsFile) || IsHere(address)))
        {
            section.Report(key, $"'{text}' is no address that can be believed", expected);
            return null;
        }

        return address;
    }

    private static bool IsHere(Uri address) =>
        address.Scheme == Uri.UriSchemeHttp && IPAddress.TryParse(address.DnsSafeHost, out var ip) && IPAddress.IsLoopback(ip);
}
