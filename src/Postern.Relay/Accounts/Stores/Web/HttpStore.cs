using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Accounts.Stores.Answers;
using Postern.Sasl;
using Postern.Sasl.Verifiers;

namespace Postern.Relay.Accounts.Stores.Web;

/// <summary>
/// <c>https://host/path</c>: users whom a service of the operator's own knows (docs/http-store.openapi.yaml). It is asked by POST for a
/// user, and where it checks passwords itself also with the password. Only 200 is an answer: whatever else it says is "cannot say".
/// </summary>
internal sealed class HttpStore : IAccountStore
{
    /// <summary><c>https://…</c></summary>
    public static readonly AccountStoreKind Kind = KindOf("https", "https://id.example.org/smtp-auth");

    /// <summary><c>http://…</c>, on this machine.</summary>
    public static readonly AccountStoreKind ClearKind = KindOf("http", "http://127.0.0.1:8080/smtp-auth");

    private readonly HttpSource source;
    private readonly TimeProvider clock;
    private readonly Uri address;
    private readonly WebService service;
    private readonly Lock gate = new();
    private readonly BoundedMap<StoredLogin> known;

    private HttpStore(HttpSource source, TimeProvider clock)
    {
        (this.source, this.clock) = (source, clock);
        address = HttpAddress.Of(source.Uri, out _)!;
        service = new WebService(source.Access, source.Terms.MostQuestions, clock);
        known = new BoundedMap<StoredLogin>(source.Terms.Capacity);
    }

    public string Name => source.Uri;

    public StoredForms Forms => source.Check == HttpCheck.Here ? StoredForms.All : StoredForms.Password;

    public StoredForms CommonForms => StoredForms.Password;

    public string Realm => source.Realm;

    public ValueTask<LoginAnswer> FindAsync(string user, CancellationToken ct) =>
        source.Check == HttpCheck.ThereOnly ? new(Presume(user)) : LookUpAsync(user, ct);

    public async ValueTask<LoginAnswer> CheckPasswordAsync(string user, Password password, CancellationToken ct)
    {
        if (password.Octets.IsEmpty || !Utf8.IsValid(password.Octets.Span))
            return new LoginAnswer.NoMatch("wrong password", UserExists: source.Check == HttpCheck.There);
        var (account, trouble) = await AskAsync(user, password, ct);
        if (trouble is not null)
            return trouble;
        if (!TryBool(account, "match", out var isMatch))
            return new LoginAnswer.Unavailable("its answer does not say whether the password is right: 'match', true or false");
        var facts = NewFacts(user);
        if (AccountJson.Read(account, facts, password: null) is { } problem)
            return new LoginAnswer.Unavailable(problem);
        var login = facts.ToCheckedLogin(source.Check == HttpCheck.ThereOnly);
        if (!isMatch)
            return TryBool(account, "found", out var isFound) && !isFound
                ? new LoginAnswer.NoMatch("unknown user")
                : new LoginAnswer.NoMatch("the service says that the password is wrong", UserExists: true);
        if (source.Check == HttpCheck.ThereOnly)
            Keep(user, login);
        return login.Refusal is { } refusal ? new LoginAnswer.NoMatch(refusal, UserExists: true) : new LoginAnswer.Match(user);
    }

    /// <summary>A service that knows nobody without his password is asked with one.</summary>
    public async ValueTask<string?> ProbeAsync(CancellationToken ct)
    {
        if (source.Check != HttpCheck.ThereOnly)
            return await LookUpAsync(IAccountStore.NobodysName, ct) switch
            {
                LoginAnswer.Found<StoredLogin> => "it finds somebody by a name that nobody has",
                var other => other.WhyOpen,
            };
        return await CheckPasswordAsync(IAccountStore.NobodysName, new Password("nobody"u8.ToArray()), ct) switch
        {
            LoginAnswer.Match => "it finds a password right that nobody has",
            var other => other.WhyOpen,
        };
    }

    /// <summary>The service checks a password of nobody: it is asked as often as for somebody whom it knows.</summary>
    public async ValueTask<LoginAnswer?> CheckNobodyAsync(CancellationToken ct) => source.Check == HttpCheck.There
        ? await CheckPasswordAsync(IAccountStore.NobodysName, new Password(Encoding.ASCII.GetBytes(Secret.Generate().Reveal())), ct)
        : null;

    public void Dispose() => service.Dispose();

    private static AccountStoreKind KindOf(string word, string example) => new(
        word, example, StoredForms.All, static (context, source) => new HttpStore((HttpSource)source, context.Clock))
    {
        HasOwnKeys = true,
        Read = HttpSource.Read,
        CommonForms = static _ => StoredForms.Password,
        WhyNot = HttpSource.WhyNot,
        Warn = HttpSource.Warn,
    };

    private static UserFacts NewFacts(string user) => new(user, "it is of more than one account");

    private static bool TryBool(JsonElement account, string member, out bool value)
    {
        value = account.TryGetProperty(member, out var found) && found.ValueKind == JsonValueKind.True;
        return value || (found.ValueKind == JsonValueKind.False);
    }

    private async ValueTask<LoginAnswer> LookUpAsync(string user, CancellationToken ct)
    {
        var (account, trouble) = await AskAsync(user, password: null, ct);
        if (trouble is not null)
            return trouble;
        if (!TryBool(account, "found", out var isFound))
            return new LoginAnswer.Unavailable("its answer does not say whether there is such a user: 'found', true or false");
        if (!isFound)
            return StoredLogin.Nobody;
        var facts = NewFacts(user);
        if (AccountJson.Read(account, facts, source.Check == HttpCheck.Here ? "password" : null) is { } problem)
            return new LoginAnswer.Unavailable(problem);
        return (source.Check == HttpCheck.Here ? facts.ToLogin() : facts.ToCheckedLogin()).ToAnswer();
    }

    /// <summary>Anybody may be a user of a service that knows nobody without his password; what it said of him then is known.</summary>
    private LoginAnswer.Found<StoredLogin> Presume(string user)
    {
        lock (gate)
        {
            if (known.TryGet(user, out var login))
                return login.ToAnswer();
        }

        return new StoredLogin(user, refusal: null, []) { IsCheckedByStore = true, IsPresumed = true }.ToAnswer();
    }

    private void Keep(string user, StoredLogin login)
    {
        lock (gate)
        {
            if (login.IsDisabled)
                known.Remove(user);
            else
                known.Add(user, login);
        }
    }

    private async ValueTask<(JsonElement Account, LoginAnswer? Trouble)> AskAsync(string user, Password? password, CancellationToken ct)
    {
        // So large from the start that no copy is left behind by growing; it is wiped in the end.
        var body = new ArrayBufferWriter<byte>(256 + (6 * (user.Length + (password?.Octets.Length ?? 0))));
        try
        {
            Write(body, user, password);
            var answer = await service.AskAsync(() => RequestOf(body.WrittenMemory), ct);
            return Read(answer, user);
        }
        finally
        {
            body.Clear();
        }
    }

    private static void Write(ArrayBufferWriter<byte> body, string user, Password? password)
    {
        using var json = new Utf8JsonWriter(body);
        json.WriteStartObject();
        json.WriteString("id", Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        json.WriteString("user", user);
        json.WriteBoolean("check", password is not null);
        if (password is not null)
            json.WriteString("password", password.Octets.Span);
        json.WriteEndObject();
    }

    private HttpRequestMessage RequestOf(ReadOnlyMemory<byte> body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.CacheControl = new CacheControlHeaderValue { NoStore = true };
        if (source.Token is { } token)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Reveal());
        if (source.Key is { } key)
            RequestSignature.Sign(request, body.Span, key, clock.GetUtcNow());
        return request;
    }

    private static (JsonElement Account, LoginAnswer? Trouble) Read(WebAnswer answer, string user) => answer switch
    {
        WebAnswer.Failed(var reason) => Trouble(reason),
        WebAnswer.Answered(200, { } json, _) => AccountJson.Text(json, "user") == user
            ? (json, null)
            : Trouble("its answer is for another user: 'user' must be the name that was asked for"),
        WebAnswer.Answered(200, _, var problem) => Trouble(problem!),
        WebAnswer.Answered((401 or 403) and var status, _, _) =>
            Trouble($"it does not take this server for who it is ({Text(status)}): 'key', 'token', 'client_certificate', and its clock"),
        WebAnswer.Answered((404 or 405 or 410) and var status, _, _) =>
            Trouble($"it answers {Text(status)}: the path is another one (a user that is not there is 200 with 'found': false)"),
        WebAnswer.Answered(>= 300 and < 400 and var status, _, _) =>
            Trouble($"it sends elsewhere ({Text(status)}), which is not followed: the address is another one"),
        WebAnswer.Answered(var status, _, _) => Trouble($"it answers {Text(status)}"),
        _ => throw new InvalidOperationException("a new answer"),
    };

    private static (JsonElement Account, LoginAnswer? Trouble) Trouble(string reason) => (default, new LoginAnswer.Unavailable(reason));

    private static string Text(int status) => status.ToString(CultureInfo.InvariantCulture);
}
