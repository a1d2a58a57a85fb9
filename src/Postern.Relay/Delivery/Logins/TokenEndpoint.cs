using System.Globalization;
using System.Net;
using System.Text.Json;
using Postern.Relay.Accounts.OAuth;
using Postern.Sasl;

namespace Postern.Relay.Delivery.Logins;

/// <summary>
/// Asks a token endpoint (RFC 6749 §3.2), and a device authorization endpoint (RFC 8628 §3.1). What it says is never trusted text.
/// </summary>
internal sealed class TokenEndpoint(HttpClient http, TimeProvider clock)
{
    private const int MostWords = 300;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>A token that says nothing of its time is asked for anew after this.</summary>
    private static readonly TimeSpan UsualLifetime = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(1);

    /// <param name="refresh">The refresh token of <see cref="GrantKind.RefreshToken"/>.</param>
    public ValueTask<TokenAnswer> AskAsync(TokenGrant grant, Secret? refresh, CancellationToken ct)
    {
        var form = grant.Kind switch
        {
            GrantKind.ClientCredentials => Form(grant, "client_credentials"),
            GrantKind.RefreshToken => Form(grant, "refresh_token", ("refresh_token", refresh!.Reveal())),
            // The assertion says who asks.
            _ => [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", JwtAssertion.Make(grant.Key!, grant.Scope, clock.GetUtcNow())),
            ],
        };
        return PostAsync(grant.TokenUrl, form, ReadToken, ct);
    }

    /// <summary>Asks for a code that a person enters elsewhere.</summary>
    public ValueTask<TokenAnswer> BeginDeviceAsync(TokenGrant grant, CancellationToken ct)
    {
        List<(string, string)> form = [("client_id", grant.ClientId)];
        if (grant.Scope is { } scope)
            form.Add(("scope", scope));
        return PostAsync(grant.DeviceUrl!, form, ReadDevice, ct);
    }

    /// <summary>Asks whether the person has entered it.</summary>
    public ValueTask<TokenAnswer> PollDeviceAsync(TokenGrant grant, string deviceCode, CancellationToken ct) =>
        PostAsync(
            grant.TokenUrl,
            Form(grant, "urn:ietf:params:oauth:grant-type:device_code", ("device_code", deviceCode)),
            ReadToken,
            ct);

    private static List<(string Name, string Value)> Form(TokenGrant grant, string type, params ReadOnlySpan<(string, string)> more)
    {
        List<(string, string)> form = [("grant_type", type), ("client_id", grant.ClientId), .. more];
        if (grant.ClientSecret is { } secret)
            form.Add(("client_secret", secret.Reveal()));
        if (grant.Scope is { } scope && !type.EndsWith("device_code", StringComparison.Ordinal))
            form.Add(("scope", scope));
        return form;
    }

    private async ValueTask<TokenAnswer> PostAsync(
        Uri url, List<(string Name, string Value)> form, Func<JsonElement, TokenAnswer> read, CancellationToken ct)
    {
        using var deadline = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        try
        {
            using var content = new FormUrlEncodedContent(form.Select(static f => KeyValuePair.Create(f.Name, f.Value)));
            using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = content };
            request.Headers.Accept.ParseAdd("application/json");
            using var response = await http.SendAsync(request, either.Token).ConfigureAwait(false);
            var body = await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false);
            return Read(url, response.StatusCode, body, read);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new TokenAnswer.Unavailable($"{url.Host} did not answer within {Patience.TotalSeconds:0} s");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new TokenAnswer.Unavailable($"{url.Host}: {(e.InnerException ?? e).Message}");
        }
    }

    private static TokenAnswer Read(Uri url, HttpStatusCode status, byte[] body, Func<JsonElement, TokenAnswer> read)
    {
        try
        {
            using var document = TokenJson.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object)
            {
                if (Text(root, "error") is { Length: > 0 } error)
                    return OfError(url, status, error, Text(root, "error_description"));
                if ((int)status is >= 200 and < 300)
                    return read(root);
            }
        }
        catch (JsonException)
        {
            // A page for people, mostly.
        }

        return new TokenAnswer.Unavailable(
            string.Create(CultureInfo.InvariantCulture, $"{url.Host} answered {(int)status} with no answer of a token endpoint"));
    }

    /// <summary>RFC 6749 §5.2, RFC 8628 §3.5.</summary>
    private static TokenAnswer OfError(Uri url, HttpStatusCode status, string error, string? description) => error switch
    {
        "authorization_pending" => new TokenAnswer.Pending(IsTooFast: false),
        "slow_down" => new TokenAnswer.Pending(IsTooFast: true),
        "temporarily_unavailable" or "server_error" => new TokenAnswer.Unavailable($"{url.Host}: {Words(error, description)}"),
        _ when (int)status is >= 500 or 429 => new TokenAnswer.Unavailable($"{url.Host}: {Words(error, description)}"),
        _ => new TokenAnswer.Refused(OneLine(error), $"{url.Host}: {Words(error, description)}"),
    };

    private TokenAnswer ReadToken(JsonElement root)
    {
        if (Text(root, "access_token") is not { Length: > 0 } token)
            return new TokenAnswer.Unavailable("an answer without access_token");
        if (!IsToken(token))
            return new TokenAnswer.Unavailable("an access_token with characters that none has (RFC 6749, appendix A.12)");
        if (Text(root, "token_type") is { } type && !type.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
            return new TokenAnswer.Refused("token_type", $"the token is of type {OneLine(type)}, not Bearer");
        var lifetime = Seconds(root, "expires_in") is { } seconds and > 0
            ? TimeSpan.FromSeconds(Math.Clamp(seconds, 1, LongestLifetime.TotalSeconds))
            : UsualLifetime;
        return new TokenAnswer.Granted(
            new Secret(token),
            clock.GetUtcNow() + lifetime,
            Text(root, "refresh_token") is { Length: > 0 } refresh && IsToken(refresh) ? new Secret(refresh) : null);
    }

    private TokenAnswer ReadDevice(JsonElement root)
    {
        var place = Text(root, "verification_uri") ?? Text(root, "verification_url");
        if (Text(root, "device_code") is not { } device || Text(root, "user_code") is not { } user || place is null)
            return new TokenAnswer.Unavailable("an answer without device_code, user_code and verification_uri");
        return new TokenAnswer.Device(device, OneLine(user), OneLine(place))
        {
            Interval = TimeSpan.FromSeconds(Math.Clamp(Seconds(root, "interval") ?? 5, 1, 60)),
            Until = clock.GetUtcNow() + TimeSpan.FromSeconds(Math.Clamp(Seconds(root, "expires_in") ?? 900, 30, 3600)),
        };
    }

    /// <summary>RFC 6749, appendices A.12 and A.17. Any other character would end the message that it is put into.</summary>
    private static bool IsToken(string text) => text.All(static c => c is >= ' ' and <= '~');

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Some write it as a text.</summary>
    private static double? Seconds(JsonElement root, string name) =>
        !root.TryGetProperty(name, out var value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number
        : value.ValueKind == JsonValueKind.String
            && double.TryParse(value.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out var written) ? written
        : null;

    private static string Words(string error, string? description) =>
        description is { Length: > 0 } ? $"{OneLine(error)} ({OneLine(description)})" : OneLine(error);

    private static string OneLine(string text)
    {
        var line = string.Concat(text.Take(MostWords).Select(static c => char.IsControl(c) ? ' ' : c));
        return line.Trim();
    }
}

/// <summary>What an endpoint said.</summary>
internal abstract record TokenAnswer
{
    private TokenAnswer()
    {
    }

    /// <param name="Refresh">What to ask with next time; null: as before.</param>
    public sealed record Granted(Secret Token, DateTimeOffset Until, Secret? Refresh) : TokenAnswer;

    /// <summary>No, and asking again does not help: somebody has to do something.</summary>
    /// <param name="Error">The code, such as <c>invalid_grant</c>.</param>
    public sealed record Refused(string Error, string Words) : TokenAnswer;

    /// <summary>Nothing that decides.</summary>
    public sealed record Unavailable(string Words) : TokenAnswer;

    /// <summary>Nobody has entered the code yet.</summary>
    public sealed record Pending(bool IsTooFast) : TokenAnswer;

    /// <summary>A person is to enter <paramref name="UserCode"/> at <paramref name="Place"/>.</summary>
    public sealed record Device(string DeviceCode, string UserCode, string Place) : TokenAnswer
    {
        public TimeSpan Interval { get; init; }

        public DateTimeOffset Until { get; init; }
    }
}
