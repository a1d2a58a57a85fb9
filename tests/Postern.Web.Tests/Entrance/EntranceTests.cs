using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Postern.Web.Access;
using Postern.Web.Entrance;
using Postern.Web.Tests.Access;

namespace Postern.Web.Tests.Entrance;

/// <summary>The way in, as a browser with and without a script has it, and as another site would like to have it.</summary>
public sealed partial class EntranceTests
{
    [Fact]
    public async Task With_forms_alone_a_person_sets_up_signs_in_and_signs_out()
    {
        await using var host = await EntranceHost.StartAsync();
        Assert.Contains("postern operator invite", (await host.GetAsync("/login")).Body, StringComparison.Ordinal);
        Assert.Contains("name=\"code\"", (await host.GetAsync("/setup")).Body, StringComparison.Ordinal);
        var code = host.Rig.Invite();

        var second = await host.PostFormAsync("/setup", [("code", code)]);
        Assert.Equal(HttpStatusCode.OK, second.Status);
        Assert.Contains("You become <strong>owner</strong>", second.Body, StringComparison.Ordinal);
        Assert.Contains("<path d=\"M", second.Body, StringComparison.Ordinal);
        var totp = OtpNet.Base32Encoding.ToBytes(SecretOf().Match(second.Body).Groups[1].Value);

        var wrong = await host.PostFormAsync("/setup", [("code", code), ("name", "\"><script>alert(1)</script>"), ("password", "too short"), ("oneTimeCode", "123456")]);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.Status);
        Assert.DoesNotContain("<script>alert", wrong.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("too short\"", wrong.Body, StringComparison.Ordinal);

        var done = await host.PostFormAsync("/setup", [("code", code), ("name", "lisa"), ("password", AccessRig.Password), ("oneTimeCode", OneTimeCode.Of(totp, host.Rig.Clock.GetUtcNow()))]);
        Assert.Equal((HttpStatusCode.SeeOther, "/login?done=1"), (done.Status, done.Location));
        Assert.Contains("Sign in with the next code", (await host.GetAsync("/login?done=1")).Body, StringComparison.Ordinal);
        host.Rig.Clock.Advance(TimeSpan.FromSeconds(30));

        var refused = await host.PostFormAsync("/login", [("name", "lisa"), ("password", "wrong walnut tricycle"), ("oneTimeCode", "000000")]);
        Assert.Equal((HttpStatusCode.Unauthorized, null), (refused.Status, refused.SetCookie));
        Assert.Contains(SignInAnswer.NoText, refused.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong walnut", refused.Body, StringComparison.Ordinal);

        var shown = OneTimeCode.Of(totp, host.Rig.Clock.GetUtcNow());
        var welcome = await host.PostFormAsync("/login", [("name", "Lisa"), ("password", AccessRig.Password), ("oneTimeCode", $"{shown[..3]} {shown[3..]}"), ("next", "/queue?state=held")]);
        Assert.Equal((HttpStatusCode.SeeOther, "/queue?state=held"), (welcome.Status, welcome.Location));
        Assert.Matches("^postern-local=[A-Za-z0-9_-]{43}; expires=[^;]+; path=/; samesite=strict; httponly$", welcome.SetCookie);
        var cookie = ("Cookie", $"postern-local={welcome.Cookie}");
        Assert.Equal("lisa", (await host.GetAsync("/who", cookie)).Body);

        var bye = await host.PostFormAsync("/logout", [], cookie);
        Assert.Equal((HttpStatusCode.SeeOther, "/login", string.Empty), (bye.Status, bye.Location, bye.Cookie));
        Assert.Equal("nobody at address 127.0.0.1", (await host.GetAsync("/who", cookie)).Body);
    }

    [Fact]
    public async Task With_json_it_is_the_same()
    {
        await using var host = await EntranceHost.StartAsync();
        var code = host.Rig.Invite(Role.TenantViewer, "acme");
        var look = JsonDocument.Parse((await host.PostJsonAsync("/setup", new { code })).Body).RootElement;
        Assert.Equal(("tenant-viewer", "acme"), (look.GetProperty("role").GetString(), look.GetProperty("tenant").GetString()));
        Assert.StartsWith("otpauth://totp/Postern%20mail.example.org:", look.GetProperty("address").GetString(), StringComparison.Ordinal);
        var totp = OtpNet.Base32Encoding.ToBytes(look.GetProperty("secret").GetString());
        var weak = await host.PostJsonAsync("/setup", new { code, name = "bart", password = "password12345", oneTimeCode = OneTimeCode.Of(totp, host.Rig.Clock.GetUtcNow()) });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, weak.Status);
        Assert.Contains("tried first", weak.Body, StringComparison.Ordinal);
        var done = await host.PostJsonAsync("/setup", new { code, name = "bart", password = AccessRig.Password, oneTimeCode = OneTimeCode.Of(totp, host.Rig.Clock.GetUtcNow()) });
        Assert.Equal(HttpStatusCode.OK, done.Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await host.PostJsonAsync("/setup", new { code })).Status);
        Assert.Contains(host.Rig.Log.Events, static e => e is Postern.Relay.Audit.Events.ServerEvent { Event: "setup_refused" });
        host.Rig.Clock.Advance(TimeSpan.FromSeconds(30));

        var welcome = await host.PostJsonAsync("/login", new { name = "bart", password = AccessRig.Password, oneTimeCode = OneTimeCode.Of(totp, host.Rig.Clock.GetUtcNow()) });
        Assert.Equal("bart", JsonDocument.Parse(welcome.Body).RootElement.GetProperty("name").GetString());
        Assert.DoesNotContain(welcome.Cookie, welcome.Body, StringComparison.Ordinal);
        Assert.Equal("bart", (await host.GetAsync("/who", ("Cookie", $"postern-local={welcome.Cookie}"))).Body);
        Assert.Equal(HttpStatusCode.NoContent, (await host.PostJsonAsync("/logout", new { }, ("Cookie", $"postern-local={welcome.Cookie}"))).Status);

        var no = await host.PostJsonAsync("/login", new { name = "bart", password = "x" });
        Assert.Equal((HttpStatusCode.Unauthorized, SignInAnswer.NoText), (no.Status, JsonDocument.Parse(no.Body).RootElement.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task A_person_changes_the_password_and_every_other_session_ends()
    {
        await using var host = await EntranceHost.StartAsync();
        var lisa = host.Rig.Add("lisa");
        Assert.Equal((HttpStatusCode.SeeOther, "/login?next=/password"), ((await host.GetAsync("/password")).Status, (await host.GetAsync("/password")).Location));
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.PostFormAsync("/password", [])).Status);
        var (elsewhere, here) = (await host.Rig.SignInAsync(lisa), await host.Rig.SignInAsync(lisa));
        var cookie = ("Cookie", $"postern-local={here}");
        Assert.Contains("(2 sessions)", (await host.GetAsync("/password", cookie)).Body, StringComparison.Ordinal);
        host.Rig.Clock.Advance(TimeSpan.FromSeconds(30));
        (string, string)[] Fields(string password, string code, string wanted) => [("password", password), ("oneTimeCode", code), ("newPassword", wanted)];

        var weak = await host.PostFormAsync("/password", Fields(AccessRig.Password, host.Rig.CodeOf(lisa), "short"), cookie);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, null), (weak.Status, weak.SetCookie));
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.PostFormAsync("/password", Fields("wrong walnut tricycle", host.Rig.CodeOf(lisa), "another walnut lantern"), cookie)).Status);
        var done = await host.PostFormAsync("/password", Fields(AccessRig.Password, host.Rig.CodeOf(lisa), "another walnut lantern"), cookie);
        Assert.Equal((HttpStatusCode.SeeOther, "/password?done=1"), (done.Status, done.Location));

        Assert.Null(await host.Rig.FindAsync(elsewhere));
        Assert.Null(await host.Rig.FindAsync(here));
        Assert.Equal("lisa", (await host.GetAsync("/who", ("Cookie", $"postern-local={done.Cookie}"))).Body);
        host.Rig.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.IsType<SignInAnswer.No>(await host.Rig.TryAsync("lisa", AccessRig.Password, host.Rig.CodeOf(lisa)));
        var again = Assert.IsType<SignInAnswer.Welcome>(await host.Rig.TryAsync("lisa", "another walnut lantern", host.Rig.CodeOf(lisa)));

        await host.PostFormAsync("/logout", [("next", "everywhere")], ("Cookie", $"postern-local={done.Cookie}"));
        Assert.Null(await host.Rig.FindAsync(again.Session.Cookie.Reveal()));
        Assert.Equal(("lisa", "operator session end", "lisa"), (host.Rig.Log.Admin[^1].Actor, host.Rig.Log.Admin[^1].Action, host.Rig.Log.Admin[^1].Target));
    }

    [Theory]
    [InlineData]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Sec-Fetch-Site", "none")]
    [InlineData("Origin", "null")]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "http://127.0.0.1")]
    [InlineData("Sec-Fetch-Site", "cross-site", "Origin", "own")]
    [InlineData("Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "no-cors")]
    public async Task What_another_site_sends_is_not_looked_at(params string[] headers)
    {
        await using var host = await EntranceHost.StartAsync();
        var lisa = host.Rig.Add("lisa");
        var computed = host.Rig.Hashing.Computed;
        var pairs = headers.Chunk(2).Select(pair => (pair[0], pair[1] == "own" ? host.Url : pair[1])).ToArray();
        foreach (var path in (string[])["/login", "/logout", "/setup", "/password"])
        {
            foreach (var type in (string[])["application/x-www-form-urlencoded", "application/json", "text/plain"])
            {
                var body = $"name=lisa&password={AccessRig.Password}&oneTimeCode={host.Rig.CodeOf(lisa)}";
                var reply = await host.SendAsync(HttpMethod.Post, path, new StringContent(body, Encoding.ASCII, type), pairs);
                Assert.Equal((HttpStatusCode.Forbidden, null), (reply.Status, reply.SetCookie));
            }
        }

        Assert.Equal(computed, host.Rig.Hashing.Computed);
    }

    [Fact]
    public async Task An_old_browser_says_the_origin_and_that_is_enough()
    {
        await using var host = await EntranceHost.StartAsync();
        var lisa = host.Rig.Add("lisa");
        var form = new FormUrlEncodedContent([KeyValuePair.Create("name", "lisa"), KeyValuePair.Create("password", AccessRig.Password), KeyValuePair.Create("oneTimeCode", host.Rig.CodeOf(lisa))]);
        Assert.Equal(HttpStatusCode.SeeOther, (await host.SendAsync(HttpMethod.Post, "/login", form, ("Origin", host.Url))).Status);
    }

    [Theory]
    [InlineData("/queue?state=held", "/queue?state=held")]
    [InlineData("/", "/")]
    [InlineData(null, "/")]
    [InlineData("", "/")]
    [InlineData("//evil.example", "/")]
    [InlineData("/\\evil.example", "/")]
    [InlineData("/a\\b", "/")]
    [InlineData("https://evil.example", "/")]
    [InlineData("javascript:alert(1)", "/")]
    [InlineData("/x\r\nSet-Cookie: a=b", "/")]
    public void Nobody_is_led_elsewhere(string? next, string path) => Assert.Equal(path, EntranceInput.PathOf(next));

    [Fact]
    public async Task What_is_no_input_is_400_and_too_many_guesses_are_429()
    {
        await using var host = await EntranceHost.StartAsync();
        host.Rig.Add("lisa");
        var own = ("Sec-Fetch-Site", "same-origin");
        foreach (var (type, body) in ((string, string)[])
            [
                ("text/plain", "{}"), ("application/json", "["), ("application/json", "null"), ("application/json", "{\"admin\":true}"), ("application/json", "{\"name\":[1]}"),
                ("application/json", $"{{\"name\":\"{new string('x', 20_000)}\"}}"), ("application/x-www-form-urlencoded", $"name={new string('x', 20_000)}"),
                ("application/x-www-form-urlencoded", string.Join('&', Enumerable.Range(0, 40).Select(static i => $"f{i}=1"))), ("multipart/form-data; boundary=x", "--x"),
            ])
        {
            var content = new ByteArrayContent(Encoding.ASCII.GetBytes(body));
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            Assert.Equal((type, body.Length, HttpStatusCode.BadRequest), (type, body.Length, (await host.SendAsync(HttpMethod.Post, "/login", content, own)).Status));
        }

        for (var i = 0; i < 10; i++)
            Assert.Equal(HttpStatusCode.Unauthorized, (await host.PostFormAsync("/login", [("name", "lisa"), ("password", $"wrong walnut {i}"), ("oneTimeCode", "000000")])).Status);
        var later = await host.PostFormAsync("/login", [("name", "lisa"), ("password", "wrong walnut"), ("oneTimeCode", "000000")]);
        Assert.Equal((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(30)), (later.Status, later.Answer.Headers.RetryAfter!.Delta));
        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.PostJsonAsync("/login", new { name = "lisa", password = "wrong walnut", oneTimeCode = "000000" })).Status);
    }

    [Fact]
    public async Task Every_answer_is_kept_by_nobody_and_shown_in_no_frame()
    {
        await using var host = await EntranceHost.StartAsync();
        foreach (var reply in (EntranceHost.Reply[])[await host.GetAsync("/login"), await host.GetAsync("/setup"), await host.PostJsonAsync("/login", new { }), await host.SendAsync(HttpMethod.Post, "/login", content: null)])
        {
            Assert.True(reply.Answer.Headers.CacheControl!.NoStore);
            Assert.Contains("frame-ancestors 'none'", reply.Answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            Assert.Equal("nosniff", reply.Answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.DoesNotContain(" style=", reply.Body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_key_that_is_no_good_is_not_made_good_by_a_cookie_and_one_in_the_address_is_none()
    {
        await using var host = await EntranceHost.StartAsync();
        var cookie = ("Cookie", $"postern-local={await host.Rig.SignInAsync(host.Rig.Add("lisa"), IPAddress.Loopback)}");
        var key = Assert.IsType<KeyIssued>(host.Rig.Commands.Keys.Add(new AddKey("x", Scopes.MetricsRead))).Key.Reveal();
        Assert.Equal("lisa", (await host.GetAsync("/who", cookie)).Body);
        Assert.Equal($"key {key.Split('_')[1]}", (await host.GetAsync("/who", ("Authorization", $"Bearer {key}"))).Body);
        foreach (var header in (string[])[$"Bearer {key[..^1]}", "Bearer", "Basic bGlzYTp4", $"Bearer {key},Bearer {key}", key])
            Assert.StartsWith("nobody", (await host.GetAsync("/who", ("Authorization", header), cookie)).Body, StringComparison.Ordinal);
        Assert.StartsWith("nobody", (await host.GetAsync($"/who?key={key}&access_token={key}")).Body, StringComparison.Ordinal);
        // The name that counts over TLS is not looked at without.
        Assert.StartsWith("nobody", (await host.GetAsync("/who", ("Cookie", cookie.Item2.Replace("postern-local", "__Host-postern", StringComparison.Ordinal)))).Body, StringComparison.Ordinal);
    }

    [GeneratedRegex("Secret: <code>([A-Z2-7]+)</code>", RegexOptions.NonBacktracking)]
    private static partial Regex SecretOf();
}
