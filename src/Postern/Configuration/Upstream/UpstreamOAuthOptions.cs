using System.Net;
using System.Text.Json;
using Postern.Configuration.Reading;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Logins;
using Postern.Sasl;

namespace Postern.Configuration.Upstream;

/// <summary><c>delivery.routes[].login.oauth</c>: where the access tokens of a login come from.</summary>
internal static class UpstreamOAuthOptions
{
    private const string Expected = "https://host/path; http:// on this machine only";

    private static readonly Kind<GrantKind> Grants = Kinds.Word(
        ("client_credentials", GrantKind.ClientCredentials),
        ("refresh_token", GrantKind.RefreshToken),
        ("jwt_bearer", GrantKind.JwtBearer));

    /// <param name="account">The user of the login.</param>
    /// <returns>Null where something is wrong.</returns>
    public static TokenGrant? Read(Section section, string account)
    {
        var kind = section.Required(
            "grant",
            Grants,
            "By what right tokens are asked for: `client_credentials`, the application's own; `refresh_token`, as somebody allowed it once "
                + "(`postern oauth login`, or `refresh_token` beside it); `jwt_bearer`, an assertion that `key` signs.");
        var tokenUrl = Address(section, "token_url", "The token endpoint (RFC 6749): `https://`; `http://` on this machine only.");
        if (tokenUrl is null && !section.Has("token_url"))
            section.ReportMissing("token_url", Expected);
        var clientId = section.Value<string?>(
            "client_id",
            Kinds.Text!,
            fallback: null,
            "must be given; with a `key` in JSON, what stands there",
            "What this server is called there.");
        var secret = section.Secret(
            "client_secret",
            "How it proves itself there: as every secret, itself, `file:PATH`, `credential:NAME`, `vault:PATH#KEY` or "
                + "`${VARIABLE}`.");
        var scope = section.Value<string?>("scope", Kinds.Text!, fallback: null, "what the endpoint gives", "Scopes, separated by spaces.");
        var refresh = section.Secret(
            "refresh_token",
            "With `grant: refresh_token`: the token to begin with, given as `client_secret` is. "
                + "What the endpoint gives in its place is kept in `oauth` below `server.data`.");
        var deviceUrl = Address(
            section,
            "device_url",
            "With `grant: refresh_token`: where `postern oauth login` asks for a code that a person enters (RFC 8628).");
        var key = ReadKey(section, account, tokenUrl, clientId, out var named);
        clientId ??= named;
        Report(section, kind, clientId, key);
        return tokenUrl is null || clientId is null ? null : new TokenGrant(account, kind, tokenUrl, clientId)
        {
            ClientSecret = secret,
            Scope = scope,
            RefreshToken = refresh,
            DeviceUrl = deviceUrl,
            Key = key,
        };
    }

    private static void Report(Section section, GrantKind kind, string? clientId, AssertionKey? key)
    {
        if (clientId is null && !section.Has("client_id"))
            section.ReportMissing("client_id", Kinds.Text.Expected);
        if (kind == GrantKind.ClientCredentials && section.Has("grant") && !section.Has("client_secret"))
            section.Report("grant", "an application that asks in its own right must prove itself", "client_secret as well");
        if (kind == GrantKind.RefreshToken && !section.Has("refresh_token") && !section.Has("device_url"))
            section.Report("grant", "nothing says how somebody allows it", "refresh_token or device_url as well");
        if (kind == GrantKind.JwtBearer && !section.Has("key"))
            section.Report("grant", "nothing signs the assertion", "key as well");
        foreach (var (name, of) in (ReadOnlySpan<(string, GrantKind)>)
        [
            ("refresh_token", GrantKind.RefreshToken),
            ("device_url", GrantKind.RefreshToken),
            ("key", GrantKind.JwtBearer),
            ("key_id", GrantKind.JwtBearer),
            ("issuer", GrantKind.JwtBearer),
            ("subject", GrantKind.JwtBearer),
            ("audience", GrantKind.JwtBearer),
        ])
        {
            if (section.Has(name) && kind != of && section.Has("grant"))
                section.Report(name, "it is of use with another grant only");
        }

        if (key is not null && key.WhyNot is { } why)
            section.Report("key", $"it cannot sign: {why}");
    }

    /// <param name="named">The client that a key in JSON is for.</param>
    private static AssertionKey? ReadKey(Section section, string account, Uri? tokenUrl, string? clientId, out string? named)
    {
        named = null;
        var file = section.ReadFile(
            "key",
            "none",
            "With `grant: jwt_bearer`: the private key for RSA, in PEM, or the JSON file of a service account that Google gives. "
                + "Read again when it changes.");
        var id = section.Value<string?>(
            "key_id", Kinds.Text!, fallback: null, "none, or what stands in the JSON file", "Its id at the endpoint.");
        var issuer = section.Value<string?>("issuer", Kinds.Text!, fallback: null, "`client_id`", "Who the assertion says asks.");
        var subject = section.Value<string?>("subject", Kinds.Text!, fallback: null, "the user of the login", "On whose behalf it asks.");
        var audience = section.Value<string?>("audience", Kinds.Text!, fallback: null, "`token_url`", "Whom the assertion is for.");
        if (file is null)
            return null;
        if (ReadText(section, file) is not { } text)
            return null;
        var (pem, keyId) = (text, (string?)null);
        if (text.TrimStart().StartsWith('{') && !TryServiceAccount(text, out pem, out keyId, out named))
        {
            section.Report("key", $"{file} is no JSON file of a service account: it lacks private_key or client_email");
            return null;
        }

        return tokenUrl is not null && (issuer ?? clientId ?? named) is { } who
            ? new AssertionKey(new Secret(pem!), id ?? keyId, who, subject ?? account, audience ?? tokenUrl.ToString())
            : null;
    }

    private static string? ReadText(Section section, string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            section.Report("key", $"{file} does not exist");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            section.Report("key", $"{file} cannot be read: {e.Message}");
        }

        return null;
    }

    private static bool TryServiceAccount(string json, out string? pem, out string? id, out string? email)
    {
        (pem, id, email) = (null, null, null);
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            pem = Text("private_key");
            id = Text("private_key_id");
            email = Text("client_email");
            return pem is not null && email is not null;

            string? Text(string name) =>
                root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static Uri? Address(Section section, string key, string doc)
    {
        if (section.Value<string?>(key, Kinds.Text!, fallback: null, "none", doc) is not { } text)
            return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var address)
            && address.UserInfo.Length == 0
            && RouteTable.HostOf(address) is not null
            && (address.Scheme == Uri.UriSchemeHttps || IsHere(address)))
            return address;
        section.Report(key, $"'{text}' is no address that a secret may be sent to", Expected);
        return null;
    }

    private static bool IsHere(Uri address) =>
        address.Scheme == Uri.UriSchemeHttp && IPAddress.TryParse(address.DnsSafeHost, out var ip) && IPAddress.IsLoopback(ip);
}
