using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>
/// A service on loopback that speaks as docs/http-store.openapi.yaml says, over TLS, and checks what it is asked: each question and each answer against that
/// document, and the signature as the page says that it is checked. What does not fit is answered 400, and kept.
/// </summary>
public class HttpRig : IStoreRig
{
    private const string Secret = "signing-key-of-the-service";
    private const string Path = "/smtp-auth";

    private readonly string folder = Directory.CreateTempSubdirectory("postern-http-").FullName;
    private readonly TestAuthority authority = TestAuthority.Create("of the rig");
    private readonly CutWire wire = new();
    private readonly ConcurrentDictionary<string, RigUser> users = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> misfits = new();
    private readonly string check;
    private readonly OpenApiDocument document = OpenApiDocument.Read("docs/http-store.openapi.yaml");
    private WebServer? server;
    private Func<WebQuestion, WebReply?>? instead;
    private long checks;

    public HttpRig()
        : this("false")
    {
    }

    /// <param name="check">The key of that name.</param>
    protected HttpRig(string check) => this.check = check;

    public virtual string Word => "https";

    public string ServicePassword => Secret;

    public virtual StoreAbilities Abilities => SqlUsers.Abilities;

    public virtual bool PresumesUsers => false;

    /// <summary>Questions and answers that are not as the document says.</summary>
    public IReadOnlyCollection<string> Misfits => misfits;

    public WebServer Server => server!;

    public IReadOnlyDictionary<StoreFailure, StoreFault> Faults => new Dictionary<StoreFailure, StoreFault>
    {
        [StoreFailure.Stopped] = new("it cannot be reached: Connection refused", () =>
        {
            wire.Refuse();
            server!.Stop();
            return Task.FromResult<Func<Task>>(() =>
            {
                server.Start();
                wire.Pass();
                return Task.CompletedTask;
            });
        }),
        [StoreFailure.Hangs] = new("no answer within 2 s", () =>
        {
            server!.FallSilent();
            return Task.FromResult<Func<Task>>(() =>
            {
                server.Speak();
                return Task.CompletedTask;
            });
        }) { IsSilent = true },
        [StoreFailure.HalfOpen] = new("no answer within 2 s", () =>
        {
            wire.Swallow();
            return Task.FromResult<Func<Task>>(() =>
            {
                wire.Pass();
                return Task.CompletedTask;
            });
        }) { IsSilent = true },
        [StoreFailure.Damaged] = new("its answer is no JSON", () => InsteadAsync(new WebReply(200, "{\"user\": lisa"))),
        [StoreFailure.WrongServicePassword] = new("it does not take this server for who it is (401)", NothingAsync, () => Configure("not-" + Secret[..14])),
        [StoreFailure.Refused] = new("it does not take this server for who it is (403)", () => InsteadAsync(new WebReply(403, "{}"))),
        [StoreFailure.NotThere] = new("it answers 404: the path is another one", () => InsteadAsync(new WebReply(404, "<html>", "text/html"))),
        [StoreFailure.Fails] = new("it answers 500", () => InsteadAsync(new WebReply(500, "{}"))),
        [StoreFailure.SendsElsewhere] = new("it sends elsewhere (302), which is not followed", () => InsteadAsync(new WebReply(302, "") { Fields = [("Location", "https://127.0.0.1/")] })),
        [StoreFailure.ExpiredCertificate] = new("TLS: ", () => ShowAsync(["localhost"], [IPAddress.Loopback], TimeSpan.FromHours(1)), Configure),
        [StoreFailure.CertificateOfAnotherName] = new("TLS: ", () => ShowAsync(["id.example.org"], [], TimeSpan.FromDays(10)), Configure),
        [StoreFailure.TooLarge] = new("its answer is longer than 1 MiB", () => InsteadAsync(new WebReply(200, $"{{\"password\":\"{new string('x', 10_000_000)}\"}}"))),
        [StoreFailure.SeveralAccounts] = new("its answer is for another user", () => InsteadAsync(new WebReply(200, "{\"user\":\"bart@example.org\",\"found\":true,\"match\":true,\"password\":\"tiger\"}"))),
    };

    private string Authorities => System.IO.Path.Combine(folder, "ca.pem");

    public Task PutAsync(RigUser user)
    {
        users[user.Name] = user;
        return Task.CompletedTask;
    }

    public Task RemoveAsync(string name)
    {
        users.TryRemove(name, out _);
        return Task.CompletedTask;
    }

    public Task<long?> CountChecksAsync() => Task.FromResult<long?>(check == "false" ? null : Interlocked.Read(ref checks));

    public AccountSource Configure() => Configure(Secret);

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(Authorities, authority.Certificate.ExportCertificatePem());
        server = new WebServer(Answer, Certify(["localhost"], [IPAddress.Loopback], TimeSpan.FromDays(10)));
        wire.To = server.Port;
        wire.Pass();
    }

    public async ValueTask DisposeAsync()
    {
        wire.Dispose();
        if (server is not null)
            await server.DisposeAsync();
        authority.Dispose();
        Directory.Delete(folder, recursive: true);
        Assert.Empty(misfits);
        GC.SuppressFinalize(this);
    }

    /// <summary>Answers every question so, until what it answers is called.</summary>
    public Task<Func<Task>> InsteadAsync(WebReply reply)
    {
        instead = _ => reply;
        return Task.FromResult<Func<Task>>(() =>
        {
            instead = null;
            return Task.CompletedTask;
        });
    }

    private static Task<Func<Task>> NothingAsync() => Task.FromResult<Func<Task>>(static () => Task.CompletedTask);

    private AccountSource Configure(string key) => AccountStores.All.Single(static k => k.Word == "https").Read(
        new StoreKeys(("check", check), ("key", key), ("ca", Authorities)),
        new AccountSource(string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{wire.Port}{Path}"), "mail.example.org") { Terms = new StoreTerms() });

    private X509Certificate2 Certify(string[] names, IPAddress[] addresses, TimeSpan validFor) => authority.IssueServer(names, addresses, validFor: validFor);

    private Task<Func<Task>> ShowAsync(string[] names, IPAddress[] addresses, TimeSpan validFor)
    {
        var good = server!.Certificate;
        server.Certificate = Certify(names, addresses, validFor);
        server.CutOff();
        return Task.FromResult<Func<Task>>(() =>
        {
            server.Certificate = good;
            server.CutOff();
            return Task.CompletedTask;
        });
    }

    private WebReply Answer(WebQuestion question)
    {
        if (document.WhyNotRequest(question.Method, Path, question.Fields, question.Body) is { } misfit)
        {
            misfits.Enqueue(misfit);
            return new WebReply(400, "{}");
        }

        if (instead?.Invoke(question) is { } other)
            return other;
        if (!IsSigned(question))
            return new WebReply(401, "{\"error\":\"signature\"}");
        var reply = Answer(JsonNode.Parse(question.Body)!.AsObject()).ToJsonString();
        if (document.WhyNotAnswer(Path, 200, reply) is { } wrong)
            misfits.Enqueue(wrong);
        return new WebReply(200, reply);
    }

    /// <summary>As docs/stores.md says that a service does it; there is no clock to compare with, for the tests' stands still.</summary>
    private static bool IsSigned(WebQuestion question)
    {
        var text = $"v1\n{question.Fields["Postern-Timestamp"]}\n{question.Method}\n{question.Path}\n{Convert.ToHexStringLower(SHA256.HashData(question.Body))}";
        return question.Fields["Postern-Signature"] == $"v1={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(text)))}";
    }

    private JsonObject Answer(JsonObject question)
    {
        var name = question["user"]!.GetValue<string>();
        var answer = new JsonObject { ["user"] = name, ["found"] = users.TryGetValue(name, out var user) };
        var isCheck = question["check"]!.GetValue<bool>();
        if (isCheck)
        {
            Interlocked.Increment(ref checks);
            var isMatch = user is not null && user.ExpiresAt is not { Year: < 2026 } && user.Secrets.Any(secret => IsRight(secret, question["password"]!.GetValue<string>()));
            answer["match"] = isMatch;
            // It knows nobody without his password.
            if (check == "only" && !isMatch)
                (user, answer["found"]) = (null, false);
        }

        if (user is null)
            return answer;
        if (user.AccountName is { } account)
            answer["name"] = account;
        if (user.Addresses is { } addresses)
            answer["addresses"] = new JsonArray([.. addresses.Select(static a => JsonValue.Create(a))]);
        if (user.Domains.Length > 0)
            answer["domains"] = new JsonArray([.. user.Domains.Select(static d => JsonValue.Create(d))]);
        if (user.Tenant is { } tenant)
            answer["tenant"] = tenant;
        if (user.IsDisabled)
            answer["disabled"] = true;
        if (user.ExpiresAt is { } expires)
            answer["expires"] = expires.ToString("O", CultureInfo.InvariantCulture);
        if (!isCheck && check == "false")
        {
            if (user.Secrets is [var only])
                answer["password"] = only;
            else
                answer["passwords"] = new JsonArray([.. user.Secrets.Select(static s => JsonValue.Create(s))]);
        }

        return answer;
    }

    private static bool IsRight(string stored, string password) => stored == password || stored == $"{{PLAIN}}{password}";
}

public sealed class HttpStoreContractTests(HttpRig rig) : StoreContract<HttpRig>(rig);
