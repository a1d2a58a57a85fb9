using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Web;
using Postern.Relay.Tests.Accounts.Contract;
using Postern.Sasl.Verifiers;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts.Stores;

/// <summary>What a store asks a service over HTTP, and how it takes what comes back.</summary>
public sealed class HttpStoreTests : IAsyncDisposable
{
    private const string Lisa = "lisa@example.org";
    private const string Key = "signing-key-of-the-service";

    private readonly DirectoryFixture fixture = new();
    private readonly WebServer server;
    private readonly List<IAccountStore> opened = [];
    private Func<JsonObject, string> answer = static question => $"{{\"user\":{question["user"]!.ToJsonString()},\"found\":true,\"password\":\"tiger\"}}";

    public HttpStoreTests() => server = new WebServer(question => new WebReply(200, answer(JsonNode.Parse(question.Body)!.AsObject())));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var store in opened)
            store.Dispose();
        await server.DisposeAsync();
        fixture.Dispose();
    }

    [Fact]
    public async Task The_question_is_json_signed_with_a_token_and_not_to_be_kept()
    {
        await Open(("key", Key), ("token", "bearer-token")).FindAsync("b\u00e4rt\"\\", Ct);
        var question = Assert.Single(server.Asked);
        Assert.Equal(("POST", "/smtp-auth"), (question.Method, question.Path));
        Assert.Equal("application/json", question.Fields["Content-Type"]);
        Assert.Equal("application/json", question.Fields["Accept"]);
        Assert.Equal("Bearer bearer-token", question.Fields["Authorization"]);
        Assert.Equal("no-store", question.Fields["Cache-Control"]);
        Assert.Equal(fixture.Clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), question.Fields["Postern-Timestamp"]);
        var body = JsonNode.Parse(question.Body)!.AsObject();
        Assert.Equal(["id", "user", "check"], body.Select(static m => m.Key));
        Assert.Equal("b\u00e4rt\"\\", body["user"]!.GetValue<string>());
    }

    [Fact]
    public async Task No_two_questions_have_one_signature()
    {
        var store = Open(("key", Key));
        await store.FindAsync(Lisa, Ct);
        await store.FindAsync(Lisa, Ct);
        Assert.Equal(2, server.Asked.Select(static q => q.Fields["Postern-Signature"]).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Without_a_key_nothing_is_signed()
    {
        await Open().FindAsync(Lisa, Ct);
        Assert.DoesNotContain(Assert.Single(server.Asked).Fields.Keys, static field => field.StartsWith("Postern-", StringComparison.OrdinalIgnoreCase) || field == "Authorization");
    }

    [Fact]
    public async Task Connections_are_kept_and_one_that_the_service_has_ended_meanwhile_costs_no_answer()
    {
        var store = Open();
        for (var i = 0; i < 5; i++)
            Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync(Lisa, Ct));
        Assert.Equal(1, server.Connections);
        server.CutOff();
        Assert.IsType<LoginAnswer.Found<StoredLogin>>(await store.FindAsync(Lisa, Ct));
    }

    [Theory]
    [InlineData("{\"found\":true,\"password\":\"tiger\"}", "its answer is for another user")]
    [InlineData("{\"user\":\"LISA@example.org\",\"found\":true}", "its answer is for another user")]
    [InlineData("{\"user\":\"lisa@example.org\"}", "its answer does not say whether there is such a user: 'found'")]
    [InlineData("{\"user\":\"lisa@example.org\",\"found\":\"yes\"}", "its answer does not say whether there is such a user: 'found'")]
    [InlineData("{\"user\":\"lisa@example.org\",\"found\":true,\"found\":false}", "its answer is no JSON, or a member comes twice")]
    [InlineData("[]", "its answer is no JSON object")]
    [InlineData("", "its answer is no JSON")]
    [InlineData("{\"user\":\"lisa@example.org\",\"found\":true,\"name\":7}", "name: it is no text")]
    [InlineData("{\"user\":\"lisa@example.org\",\"found\":true,\"addresses\":[\"tiger\"]}", "addresses: something in it is no address")]
    public async Task An_answer_that_cannot_be_taken_is_none_and_is_not_quoted(string json, string reason)
    {
        answer = _ => json;
        var said = Assert.IsType<LoginAnswer.Unavailable>(await Open().FindAsync(Lisa, Ct)).Reason;
        Assert.StartsWith(reason, said, StringComparison.Ordinal);
        Assert.DoesNotContain("tiger", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_value_that_is_too_long_is_no_answer()
    {
        answer = _ => $"{{\"user\":\"{Lisa}\",\"found\":true,\"password\":\"{new string('x', 70_000)}\"}}";
        Assert.Equal("password: longer than 64 KiB", Assert.IsType<LoginAnswer.Unavailable>(await Open().FindAsync(Lisa, Ct)).Reason);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"user\"", "the connection ended before the answer did")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}", "its answer is not of type application/json")]
    [InlineData("tiger tiger tiger tiger\r\n\r\n", "what it answers is no HTTP")]
    public async Task What_is_no_answer_of_the_protocol_is_told_by_its_kind(string raw, string reason)
    {
        await using var odd = new WebServer(_ => new WebReply(200, "") { Raw = Encoding.ASCII.GetBytes(raw) });
        Assert.Equal(reason, Assert.IsType<LoginAnswer.Unavailable>(await Open(odd.Port).FindAsync(Lisa, Ct)).Reason);
    }

    [Fact]
    public async Task No_proxy_of_the_environment_is_asked()
    {
        await using var proxy = new WebServer(static _ => new WebReply(200, "{}"));
        var before = Environment.GetEnvironmentVariable("http_proxy");
        Environment.SetEnvironmentVariable("http_proxy", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{proxy.Port}"));
        try
        {
            Assert.IsType<LoginAnswer.Found<StoredLogin>>(await Open().FindAsync(Lisa, Ct));
            Assert.Empty(proxy.Asked);
        }
        finally
        {
            Environment.SetEnvironmentVariable("http_proxy", before);
        }
    }

    [Fact]
    public async Task A_service_that_wants_a_certificate_is_shown_the_one_of_the_configuration_and_a_renewed_one_from_then_on()
    {
        using var authority = TestAuthority.Create("of the service");
        using var shown = authority.IssueServer(["localhost"], [IPAddress.Loopback]);
        await using var mutual = new WebServer(static _ => new WebReply(200, $"{{\"user\":\"{Lisa}\",\"found\":false}}"), shown) { AsksForCertificate = true };
        var (ca, own) = (fixture.Beside("ca.pem"), fixture.Beside("own.pem"));
        await File.WriteAllTextAsync(ca, authority.Certificate.ExportCertificatePem(), Ct);
        await WriteOwnAsync("CN=postern");
        var store = Open($"https://127.0.0.1:{mutual.Port}/smtp-auth", ("ca", ca), ("client_certificate", own));
        Assert.Same(StoredLogin.Nobody, await store.FindAsync(Lisa, Ct));
        await WriteOwnAsync("CN=postern of tomorrow");
        fixture.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Same(StoredLogin.Nobody, await store.FindAsync(Lisa, Ct));
        Assert.Equal(["CN=postern", "CN=postern of tomorrow"], mutual.Asked.Select(static q => q.Certificate));

        async Task WriteOwnAsync(string subject)
        {
            using var client = authority.IssueClient(subject);
            using var key = client.GetECDsaPrivateKey()!;
            await File.WriteAllTextAsync(own, $"{client.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n", Ct);
        }
    }

    [Theory]
    [InlineData("https://id.example.org/smtp-auth", null)]
    [InlineData("http://127.0.0.1:8080/", null)]
    [InlineData("https://", "it does not read https://host/path")]
    [InlineData("https://me:tiger@id.example.org/", "a password has no place in the address")]
    [InlineData("https://id.example.org/?key=tiger", "what stands behind '?' or '#' has no place in it")]
    [InlineData("https://id.example.org/ x", "it does not read https://host/path")]
    public void A_uri_is_an_address_without_secrets(string uri, string? problem)
    {
        var said = AccountStores.WhyNot(new AccountSource(uri, "r"));
        Assert.Equal(problem is null, said is null);
        Assert.StartsWith(problem ?? "", said ?? "", StringComparison.Ordinal);
        Assert.DoesNotContain("tiger", said ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://id.example.org/smtp-auth", "key", Key, "uri: passwords would go to another machine in clear: https://, or the key 'tls: none'")]
    [InlineData("https://id.example.org/smtp-auth", "tls", "none", "tls: it is for http:// only")]
    [InlineData("https://id.example.org/smtp-auth", "key", "tiger", "key: it is shorter than 16 characters")]
    [InlineData("https://id.example.org/smtp-auth", "token", "two words", "token: it holds characters that no token has")]
    [InlineData("https://id.example.org/smtp-auth", "client_key", "x.key", "client_key: there is no client_certificate")]
    public void A_wrong_key_is_told_at_its_place(string uri, string key, string value, string problem)
    {
        var problems = new List<string>();
        HttpSource.Read(new StoreKeys((key, value)) { Problems = problems }, new AccountSource(uri, "r"));
        Assert.StartsWith(problem, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Check_warns_of_a_way_in_clear_of_a_service_that_anybody_can_ask_and_of_files_that_are_none()
    {
        Assert.Equal(
            ["what is asked and answered goes over the network in clear, passwords among it: whoever sees it has them", "the service cannot tell this server from anybody else: 'key', 'token' or 'client_certificate'"],
            HttpSource.Warn(HttpSource.Read(new StoreKeys(("tls", "none")), new AccountSource("http://id.example.org/", "r"))));
        Assert.StartsWith("ca: ", Assert.Single(HttpSource.Warn(HttpSource.Read(new StoreKeys(("key", Key), ("ca", "/none.pem")), new AccountSource("https://id.example.org/", "r")))), StringComparison.Ordinal);
        Assert.Empty(HttpSource.Warn(HttpSource.Read(new StoreKeys(("key", Key)), new AccountSource("https://id.example.org/", "r"))));
    }

    [Fact]
    public void The_document_names_each_member_that_is_read_and_its_examples_are_as_it_says()
    {
        var document = OpenApiDocument.Read("docs/http-store.openapi.yaml");
        var members = document.Root.GetProperty("components").GetProperty("schemas").GetProperty("Answer").GetProperty("properties").EnumerateObject().Select(static m => m.Name);
        Assert.Equal(["user", "found", "match", "password", "passwords", "name", "addresses", "domains", "tenant", "disabled", "expires"], members);
        var operation = document.Root.GetProperty("paths").GetProperty("/smtp-auth").GetProperty("post");
        var fields = new Dictionary<string, string> { ["Content-Type"] = "application/json" };
        foreach (var example in ExamplesOf(operation.GetProperty("requestBody")))
            Assert.Null(document.WhyNotRequest("POST", "/smtp-auth", fields, Encoding.UTF8.GetBytes(example)));
        foreach (var example in ExamplesOf(operation.GetProperty("responses").GetProperty("200")))
            Assert.Null(document.WhyNotAnswer("/smtp-auth", 200, example));

        static IEnumerable<string> ExamplesOf(System.Text.Json.JsonElement of) =>
            of.GetProperty("content").GetProperty("application/json").GetProperty("examples").EnumerateObject().Select(static e => e.Value.GetProperty("value").GetRawText());
    }

    private IAccountStore Open(params (string, string)[] keys) => Open(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{server.Port}/smtp-auth"), keys);

    private IAccountStore Open(int port) => Open(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/smtp-auth"));

    private IAccountStore Open(string uri, params (string, string)[] keys)
    {
        var store = HttpStore.Kind.Open(fixture.StoreContext, HttpSource.Read(new StoreKeys(keys), new AccountSource(uri, "mail.example.org"))); // nothing is remembered
        opened.Add(store);
        return store;
    }
}
