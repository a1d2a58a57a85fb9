using System.Globalization;
using System.Text.Json;
using Postern.Relay.Accounts.Stores.Asking;
using Postern.Relay.Accounts.Stores.Web;
using Postern.Sasl;

namespace Postern.Relay.Accounts.Stores.Vault;

/// <summary>
/// The token by which this server asks Vault: had by a login or given, renewed when two thirds of its time are over, and had anew when it
/// was taken away. Whoever needs one while there is none waits for the same login.
/// </summary>
internal sealed class VaultSession : IDisposable
{
    /// <summary>A login that did not help is not tried again for so long: secret ids can be good for so many logins only.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    private readonly VaultLogin login;
    private readonly VaultNodes nodes;
    private readonly TimeProvider clock;
    private readonly SharedQuestions<string, Held> logins;
    private readonly Lock gate = new();
    private readonly ITimer timer;
    private Held? held;
    private long? refusedAt;
    private bool isDisposed;

    public VaultSession(VaultLogin login, VaultNodes nodes, TimeSpan timeout, TimeProvider clock)
    {
        (this.login, this.nodes, this.clock) = (login, nodes, clock);
        logins = new SharedQuestions<string, Held>(most: 2, timeout, clock); // one that was given up may not have ended
        timer = clock.CreateTimer(
            static session => ((VaultSession)session!).Renew(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A token, or why there is none.</summary>
    public async ValueTask<Held> TakeAsync(CancellationToken ct)
    {
        if (Current is { } known)
            return known;
        try
        {
            // It is for all who come: that of one who leaves goes on.
            var asked = logins.AskAsync(string.Empty, LogInAsync, CancellationToken.None).AsTask();
            return await asked.WaitAsync(ct) ?? Held.Not("a login there is under way already");
        }
        catch (TimeoutException)
        {
            return Held.Not("no answer to the login in time");
        }
    }

    /// <summary>Whether a token that was refused may be had anew, by a login that was not tried a moment ago; it is dropped then.</summary>
    public bool Drop(Held refused)
    {
        lock (gate)
        {
            if (held != refused)
                return held is not null; // somebody else has had a new one meanwhile
            if (login is VaultLogin.Token || (refusedAt is { } at && clock.GetElapsedTime(at) < Pause))
                return false;
            refusedAt = clock.GetTimestamp();
            held = null;
            return true;
        }
    }

    /// <summary>Whether Vault knows the token at all; null where that cannot be said.</summary>
    public async ValueTask<bool?> IsKnownAsync(Held token, CancellationToken ct) =>
        await nodes.AskAsync(HttpMethod.Get, "auth/token/lookup-self", body: null, token.Token, ct) switch
        {
            WebAnswer.Answered(200, _, _) => true,
            WebAnswer.Answered(403, _, _) => false,
            _ => null,
        };

    public void Dispose()
    {
        lock (gate)
        {
            isDisposed = true;
            held = null;
        }

        timer.Dispose();
    }

    private Held? Current
    {
        get
        {
            lock (gate)
                return held is { } known && (known.Lease is not { } lease || clock.GetElapsedTime(known.At) < lease) ? known : null;
        }
    }

    private async ValueTask<Held> LogInAsync(CancellationToken ct)
    {
        if (Current is { } known)
            return known;
        var had = login switch
        {
            VaultLogin.Token(var token) => await LookUpAsync(token, ct),
            VaultLogin.AppRole(var mount, var role, var secret) => await LogInAsync(
                "AppRole",
                mount,
                secret is null ? [("role_id", role.Reveal())] : [("role_id", role.Reveal()), ("secret_id", secret.Reveal())],
                ct),
            VaultLogin.Kubernetes kubernetes => await LogInByFileAsync(kubernetes, ct),
            _ => throw new InvalidOperationException("a new way to log in"),
        };
        if (had.Token is not null)
            Keep(had);
        return had;
    }

    private async ValueTask<Held> LogInByFileAsync(VaultLogin.Kubernetes kubernetes, CancellationToken ct)
    {
        string jwt;
        try
        {
            jwt = (await File.ReadAllTextAsync(kubernetes.File, ct)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Held.Not($"the token of the service account cannot be read: {e.Message}");
        }

        return await LogInAsync("Kubernetes", kubernetes.Mount, [("role", kubernetes.Role), ("jwt", jwt)], ct);
    }

    private async ValueTask<Held> LogInAsync(string way, string mount, (string, string)[] fields, CancellationToken ct)
    {
        switch (await nodes.AskAsync(HttpMethod.Post, $"auth/{VaultPath.Escape(mount)}/login", Body(fields), token: null, ct))
        {
            case WebAnswer.Failed(var reason):
                return Held.Not(reason);
            case WebAnswer.Answered(200, { } json, _):
                return Granted(json) ?? Held.Not($"the answer to the login by {way} holds no token");
            case WebAnswer.Answered((400 or 401 or 403 or 404) and var status, _, _):
                var fieldNames = string.Join(", ", fields.Select(static field => field.Item1));
                return Held.Not(string.Create(
                    CultureInfo.InvariantCulture, $"the login by {way} at auth/{mount} was refused ({status}): {fieldNames}"));
            case WebAnswer.Answered(var status, _, _):
                return Held.Not(VaultNodes.Words(status));
            default:
                throw new InvalidOperationException("a new answer");
        }
    }

    /// <summary>How long a token is good that somebody has made. One that may not ask for itself is taken as it is.</summary>
    private async ValueTask<Held> LookUpAsync(Secret token, CancellationToken ct)
    {
        switch (await nodes.AskAsync(HttpMethod.Get, "auth/token/lookup-self", body: null, token, ct))
        {
            case WebAnswer.Failed(var reason):
                return Held.Not(reason);
            case WebAnswer.Answered(200, { } json, _) when Member(json, "data") is { } data:
                var ttl = Seconds(data, "ttl");
                return new Held(token, clock.GetTimestamp(), ttl, IsRenewable(data) && ttl is not null, Problem: null);
            case WebAnswer.Answered(403, _, _):
                return new Held(token, clock.GetTimestamp(), Lease: null, IsRenewable: false, Problem: null);
            case WebAnswer.Answered(var status, _, _):
                return Held.Not(VaultNodes.Words(status));
            default:
                throw new InvalidOperationException("a new answer");
        }
    }

    private Held? Granted(JsonElement json) =>
        Member(json, "auth") is { } auth
        && AccountJson.Text(auth, "client_token") is { Length: > 0 } token
        && token.All(static c => c is > ' ' and <= '~')
            ? new Held(new Secret(token), clock.GetTimestamp(), Seconds(auth, "lease_duration"), IsRenewable(auth), Problem: null)
            : null;

    /// <summary>A token that cannot be renewed is had anew a little before its end; one that was given cannot be had anew.</summary>
    private void Keep(Held had)
    {
        lock (gate)
        {
            if (isDisposed)
                return;
            held = had;
            if (had.Lease is { } lease)
                timer.Change(2 * lease / 3, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Called by the timer. What fails is tried again when two thirds of what is left are over.</summary>
    private void Renew()
    {
        if (Current is { } known)
            _ = RenewAsync(known);
    }

    private async Task RenewAsync(Held known)
    {
        try
        {
            if (await RenewedAsync(known) is { } renewed)
            {
                Keep(renewed);
                return;
            }
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException or ObjectDisposedException)
        {
            // It is good for a while yet.
        }

        lock (gate)
        {
            if (isDisposed || held != known)
                return;
            var left = known.Lease!.Value - clock.GetElapsedTime(known.At);
            if (left > TimeSpan.FromSeconds(1))
                timer.Change(2 * left / 3, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task<Held?> RenewedAsync(Held known)
    {
        using var end = new CancellationTokenSource(known.Lease!.Value / 3, clock);
        if (known.IsRenewable
            && await nodes.AskAsync(HttpMethod.Post, "auth/token/renew-self", Body(), known.Token, end.Token)
                is WebAnswer.Answered(200, { } json, _)
            && Member(json, "auth") is { } auth
            && Seconds(auth, "lease_duration") is { } lease)
        {
            // Towards the end of what it may live at most it is renewed for less and less.
            if (login is VaultLogin.Token || lease >= known.Lease / 2)
                return known with { At = clock.GetTimestamp(), Lease = lease };
        }

        if (login is VaultLogin.Token)
            return null;
        lock (gate)
        {
            if (held != known)
                return null;
            held = null;
        }

        var had = await TakeAsync(end.Token);
        if (had.Token is not null)
            return had;
        lock (gate)
            held ??= known;
        return null;
    }

    private static byte[] Body(params ReadOnlySpan<(string Name, string Value)> fields)
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            foreach (var (name, value) in fields)
                json.WriteString(name, value);
            json.WriteEndObject();
        }

        return body.ToArray();
    }

    private static JsonElement? Member(JsonElement json, string name) =>
        json.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Object ? member : null;

    /// <summary>Null for zero, which is for ever.</summary>
    private static TimeSpan? Seconds(JsonElement json, string name) =>
        json.TryGetProperty(name, out var member)
        && member.ValueKind == JsonValueKind.Number
        && member.TryGetInt64(out var seconds)
        && seconds > 0
            ? TimeSpan.FromSeconds(Math.Min(seconds, 86_400 * 365L))
            : null;

    private static bool IsRenewable(JsonElement json) =>
        json.TryGetProperty("renewable", out var member) && member.ValueKind == JsonValueKind.True;

    /// <param name="Token">Null where there is none.</param>
    /// <param name="At">A timestamp of the clock.</param>
    /// <param name="Lease">From then on; null for ever, or where that is not known.</param>
    /// <param name="Problem">Why there is none.</param>
    internal sealed record Held(Secret? Token, long At, TimeSpan? Lease, bool IsRenewable, string? Problem)
    {
        public static Held Not(string problem) => new(Token: null, At: 0, Lease: null, IsRenewable: false, problem);
    }
}
