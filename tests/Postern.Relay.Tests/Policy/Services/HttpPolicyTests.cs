using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.Relay.Accounts.Stores.Web;
using Postern.Relay.Policy.Services;
using Postern.Relay.Tests.Accounts.Contract;
using Postern.Sasl;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Policy.Services;

/// <summary>A service of one's own in JSON: every question and answer is as the document says, and what is no answer lets nobody through.</summary>
public sealed class HttpPolicyTests : IAsyncDisposable
{
    private const string Path = "/smtp-policy";

    private readonly AskedSession asked = new();
    private readonly OpenApiDocument document = OpenApiDocument.Read("docs/http-policy.openapi.yaml");
    private readonly List<string> misfits = [];
    private readonly string folder = Directory.CreateTempSubdirectory("postern-http-policy-").FullName;
    private readonly WebServer server;
    private Func<WebQuestion, WebReply> answer;

    public HttpPolicyTests()
    {
        answer = _ => throw new InvalidOperationException("nobody said what to answer");
        server = new WebServer(question =>
        {
            if (document.WhyNotRequest(question.Method, question.Path, question.Fields, question.Body) is { } misfit)
                misfits.Add(misfit);
            return answer(question);
        });
    }

    private string Url => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{server.Port}{Path}");

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
        Assert.Empty(misfits);
    }

    [Theory]
    [InlineData("""{ "action": "permit" }""", null)]
    [InlineData("""{ "action": "OK", "more": [1] }""", null)]
    [InlineData("""{ "action": "dunno" }""", "550 5.7.1 <b@foreign.test>: Relay access denied")]
    [InlineData("""{ "action": "reject" }""", "554 5.7.1 Access denied")]
    [InlineData("""{ "action": "reject", "code": 550, "status": "5.1.1", "text": "nobody" }""", "550 5.1.1 nobody")]
    [InlineData("""{ "action": "reject", "code": 450, "status": "5.1.1", "text": "nobody" }""", "450 4.1.1 nobody")]
    [InlineData("""{ "action": "reject", "text": "a\r\n250 OK\u0000" }""", "554 5.7.1 a??250 OK?")]
    [InlineData("""{ "action": "defer", "text": null, "status": "4.2.0" }""", "450 4.2.0 Access denied for now, try again later")]
    [InlineData("""{ "action": "defer_if_reject", "text": "not sure" }""", "450 4.7.1 not sure")]
    [InlineData("""{ "action": "list", "list": "strict" }""", "554 5.7.1 Access denied")]
    [InlineData("""{ "action": "list", "list": "other" }""", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("""{ "action": "prepend", "field": "X-A: b\r\nX-C: d" }""", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("""{ "action": "redirect" }""", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("""{ "action": "filter", "to": "smtp:x" }""", "451 4.3.5 Server configuration problem, try again later")]
    [InlineData("""{ "action": "discard" }""", "451 4.3.5 Server configuration problem, try again later")]
    public async Task What_it_answers_is_done(string json, string? reply)
    {
        Says(json);
        Assert.Equal(reply, await AskedSession.ReplyAsync(asked.Policy([$"check_http_policy {Url}", "reject_unauth_destination"])));
    }

    [Theory]
    [InlineData("""{ "action": "reject it" }""", "its answer has no 'action', which is one word")]
    [InlineData("""{ "action": 5 }""", "its answer has no 'action', which is one word")]
    [InlineData("""{ "text": "OK" }""", "its answer has no 'action', which is one word")]
    [InlineData("""{ "action": "permit", "code": 250 }""", "its 'code' is no reply code from 400 to 599")]
    [InlineData("""{ "action": "permit", "code": 550 }""", "its 'code' does not go with permit: only reject and defer have one")]
    [InlineData("""{ "action": "reject", "code": "550" }""", "its 'code' is no reply code from 400 to 599")]
    [InlineData("""{ "action": "reject", "code": 421 }""", "its 'code' is no reply code from 400 to 599")]
    [InlineData("""{ "action": "permit", "status": "2.0.0" }""", "its 'status' is no enhanced status code such as 5.7.1")]
    [InlineData("""{ "action": "permit", "text": ["a"] }""", "its 'text' is no text")]
    [InlineData("""{ "action": "permit", "id": "6f1c0f0e3a9d4c5b8e7a1b2c3d4e5f60" }""", "its answer is for another question: 'id' must be the one that was sent")]
    [InlineData("""{ "action": "permit", "action": "reject" }""", "its answer is no JSON, or a member comes twice")]
    [InlineData("""{ "action": "permit" """, "its answer is no JSON, or a member comes twice")]
    [InlineData("""[ "permit" ]""", "its answer is no JSON object")]
    public async Task What_is_no_answer_lets_nobody_through(string json, string why)
    {
        answer = question => new WebReply(200, json.Contains("\"id\"", StringComparison.Ordinal) || json[0] != '{' ? json : $"{{ \"id\": \"{IdOf(question)}\",{json[1..]}");
        await RefusedAsync(why);
    }

    [Theory]
    [InlineData(401, "application/json", "it does not take this server for who it is (401)")]
    [InlineData(302, "application/json", "it sends elsewhere (302), which is not followed")]
    [InlineData(404, "text/html", "it answers 404")]
    [InlineData(500, "application/json", "it answers 500")]
    [InlineData(204, "application/json", "it answers 204")]
    [InlineData(200, "text/html", "its answer is not of type application/json")]
    public async Task Only_200_in_json_is_an_answer(int status, string type, string why)
    {
        answer = question => new WebReply(status, $"{{ \"id\": \"{IdOf(question)}\", \"action\": \"permit\" }}", type) { Fields = [("Location", "http://127.0.0.1/")] };
        await RefusedAsync(why);
    }

    [Fact]
    public async Task Ten_megabytes_are_not_read()
    {
        answer = question => new WebReply(200, $"{{ \"id\": \"{IdOf(question)}\", \"action\": \"permit\", \"text\": \"{new string('x', 10_000_000)}\" }}");
        await RefusedAsync("its answer is longer than 1 MiB");
    }

    [Fact]
    public async Task Half_an_answer_is_none()
    {
        answer = _ => new WebReply(200, string.Empty) { Raw = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"action\""u8.ToArray() };
        await RefusedAsync("the connection ended before the answer did");
    }

    [Fact]
    public async Task A_service_that_is_down_is_told_with_what_would_help()
    {
        server.Stop();
        await RefusedAsync("it cannot be reached: Connection refused");
        Assert.Equal($"see that the policy service at {Url} runs and answers", asked.Last.Chain[0].Remedy);
        Assert.Null(await AskedSession.ReplyAsync(asked.Policy([$"check_http_policy url: {Url}, on_error: pass", "permit"])));
    }

    [Fact]
    public async Task A_service_that_hangs_is_not_waited_for()
    {
        var clock = new ManualClock();
        answer = _ => new WebReply(200, "{}");
        server.FallSilent();
        var policy = asked.Policy([$"check_http_policy {Url}", "permit"], clock: clock);
        var reply = AskedSession.ReplyAsync(policy); // has come to where it waits
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("451 4.3.0 Temporary failure, try again later", await reply);
        Assert.Equal($"{Url}: no answer in time (after 2000 ms)", asked.Last.Chain[0].Saw);
    }

    [Fact]
    public async Task One_connection_serves_question_after_question_and_is_replaced_when_it_was_closed()
    {
        Says("""{ "action": "dunno" }""");
        var policy = asked.Policy([$"check_http_policy {Url}", "permit"]);
        for (var i = 0; i < 3; i++)
            Assert.Null(await AskedSession.ReplyAsync(policy));
        Assert.Equal(1, server.Connections);
        server.CutOff();
        Assert.Null(await AskedSession.ReplyAsync(policy));
        Assert.Equal(2, server.Connections);
    }

    [Fact]
    public async Task It_is_told_what_is_known()
    {
        Says("""{ "action": "dunno" }""");
        var ask = $"check_http_policy url: {Url}, context: \"first: entry\"";
        var policy = asked.Policy([ask, "permit"], sender: [ask], message: [ask], client: [ask]);
        var session = AskedSession.Session(login: "alice");
        session.Transaction!.Add(Mailbox.Parse("b@foreign.test"), RecipientParameters.None, "permit");
        Assert.Null(await AskedSession.ReplyAsync(policy, session));
        await AskedSession.EffectsAsync(policy, session);

        var questions = server.Asked.Select(static q => JsonNode.Parse(q.Body)!.AsObject()).ToList();
        Assert.Equal(["client", "sender", "recipient", "message"], questions.Select(static q => q["stage"]!.GetValue<string>()));
        Assert.Single(questions.Select(static q => q["transaction"]!.GetValue<string>()).Distinct());
        Assert.Equal(4, questions.Select(static q => q["id"]!.GetValue<string>()).Distinct().Count());
        foreach (var question in questions)
        {
            question.Remove("id");
            question.Remove("transaction");
        }

        Assert.Equal(
            """{"stage":"recipient","context":"first: entry","session":"0123456789ab","listener":"submission","client":{"address":"203.0.113.9","port":40123},"server":{"address":"192.0.2.25","port":587},"protocol":"ESMTP","helo":"client.example","tls":{"version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384"},"login":"alice","mechanism":"PLAIN","sender":"a@foreign.test","recipient":"b@foreign.test","size":12345}""",
            questions[2].ToJsonString());
        Assert.Equal("""["b@foreign.test"]""", questions[3]["recipients"]!.ToJsonString());
        Assert.Equal("Lisa <lisa@example.org>", questions[3]["header"]!["from"]!.GetValue<string>());
    }

    [Fact]
    public async Task Questions_are_signed_and_bear_a_token_that_changes_with_its_file()
    {
        var (key, token) = (System.IO.Path.Combine(folder, "key"), System.IO.Path.Combine(folder, "token"));
        await File.WriteAllTextAsync(key, "signing-key-of-the-service\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(token, "first\n", TestContext.Current.CancellationToken);
        Says("""{ "action": "dunno" }""");
        var clock = new ManualClock();
        var policy = asked.Policy([$"check_http_policy url: {Url}, key_file: {key}, token_file: {token}", "permit"], clock: clock);
        Assert.Null(await AskedSession.ReplyAsync(policy));
        var question = server.Asked[^1];
        Assert.Equal("Bearer first", question.Fields["Authorization"]);
        Assert.Equal(
            RequestSignature.Of(question.Fields[RequestSignature.TimestampField], "POST", Path, question.Body, new Secret("signing-key-of-the-service")),
            question.Fields[RequestSignature.SignatureField]);

        await File.WriteAllTextAsync(token, "the-second\n", TestContext.Current.CancellationToken);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await AskedSession.ReplyAsync(policy));
        Assert.Equal("Bearer the-second", server.Asked[^1].Fields["Authorization"]);

        File.Delete(key);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.StartsWith("451", await AskedSession.ReplyAsync(policy), StringComparison.Ordinal);
        Assert.Contains("a file that it is asked with cannot be used: ", asked.Last.Chain[0].Saw, StringComparison.Ordinal);
        Assert.DoesNotContain("signing-key", JsonSerializer.Serialize(asked.Last.Chain), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_not_asked_in_advance()
    {
        var decision = await asked.Policy([$"check_http_policy {Url}", "permit"])
            .DryRunAsync(Judge.Facts(), Judge.Path("a@foreign.test"), Mailbox.Parse("b@foreign.test"), TestContext.Current.CancellationToken);
        Assert.Equal($"{Url} is not asked in advance", decision.Chain[^2].Saw);
        Assert.Empty(server.Asked);
    }

    [Theory]
    [InlineData("https://policy.example.org/smtp", true)]
    [InlineData("http://127.0.0.1:8080/smtp", true)]
    [InlineData("http://localhost/smtp", true)]
    [InlineData("http://policy.example.org/smtp", false)]
    [InlineData("http://10.0.0.1/smtp", false)]
    [InlineData("https://user:pass@policy.example.org/smtp", false)]
    [InlineData("https://policy.example.org/smtp?key=1", false)]
    [InlineData("ftp://policy.example.org/", false)]
    public void Its_address_goes_in_clear_over_no_network(string text, bool isRead) => Assert.Equal(isRead, HttpPlace.Kind.Read(text, out _));

    private static string IdOf(WebQuestion question) => JsonNode.Parse(question.Body)!["id"]!.GetValue<string>();

    private void Says(string json) => answer = question =>
    {
        var body = JsonNode.Parse(json)!.AsObject();
        body["id"] = IdOf(question);
        if (document.WhyNotAnswer(Path, 200, body.ToJsonString()) is { } wrong)
            misfits.Add(wrong);
        return new WebReply(200, body.ToJsonString());
    };

    private async Task RefusedAsync(string why)
    {
        Assert.Equal("451 4.3.0 Temporary failure, try again later", await AskedSession.ReplyAsync(asked.Policy([$"check_http_policy {Url}", "permit"])));
        Assert.StartsWith($"{Url}: {why}", asked.Last.Chain[0].Saw, StringComparison.Ordinal);
    }
}
