using System.Net;
using System.Text.RegularExpressions;
using Postern.Commands.Output;
using Postern.Relay.Accounts.Credentials;
using Postern.Sasl;
using Postern.Sasl.Client;
using Postern.Testing;
using Postern.Tests.Commands;

namespace Postern.Tests.Hosting;

/// <summary>App passwords over the wire: who gets in where, what the log knows of it, and what the commands tell.</summary>
public sealed partial class AppPasswordServerTests : IAsyncDisposable
{
    private const string User = LiveServer.User;

    private const string Listeners =
        "listeners: [{ name: devices, listen: ['127.0.0.1:0'], tls: none, auth: always }, { name: office, listen: ['127.0.0.1:0'], tls: none, auth: always }]\n";

    private static readonly IPAddress Phone = IPAddress.Parse("127.0.0.2");
    private static readonly IPAddress Thief = IPAddress.Parse("127.0.0.3");

    private readonly LiveServer server = new();
    private string lastAdded = string.Empty;

    private CommandRun Run => server.Run;

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_leaked_one_gets_in_nowhere_else_and_is_found_by_its_number()
    {
        await server.StartAsync(Listeners);
        var secret = await AddAsync("--app", "--label", "phone", "--listener", "devices", "--first-network");

        await ExpectAsync("235", secret, "devices", Phone);
        var refused = await ExpectAsync("535", secret, "devices", Thief);
        Assert.Equal(await ExpectAsync("535", "no such secret", "devices", Thief), refused);
        await ExpectAsync("535", secret, "office", Phone);
        await ExpectAsync("235", secret, "devices", Phone);
        await ExpectAsync("235", LiveServer.Password, "office", Thief);
        await server.FlushLogAsync();

        var found = (await Run.JsonAsync("log", "auth", "--credential", "2")).EnumerateArray().ToList();
        Assert.Equal(["ok", "failed", "failed", "ok"], found.Select(static e => e.GetProperty("outcome").GetString()!));
        Assert.All(found, static e => Assert.Equal("#2", e.GetProperty("credential").GetString()));
        Assert.Equal(
            ["the credential phone (#2) belongs to 127.0.0.2/32, where it was used first, and not to 127.0.0.3", "the credential phone (#2) may be used on devices, and not on office"],
            found.Where(static e => e.GetProperty("outcome").GetString() == "failed").Select(static e => e.GetProperty("reason").GetString()!));
        Assert.Contains("ok, by credential #2", (await Run.PosternAsync("log", "auth", "--credential", "#2")).Output, StringComparison.Ordinal);
        Assert.Equal(1, (await Run.JsonAsync("log", "auth", "--credential", "1")).GetArrayLength());
        Assert.Equal("credential bound", Assert.Single((await Run.JsonAsync("log", "admin")).EnumerateArray(), static e => e.GetProperty("actor").GetString() == "postern").GetProperty("action").GetString());
        Assert.Equal(ExitCode.Usage, (await Run.PosternAsync("log", "auth", "--credential", "phone")).ExitCode);

        server.Clock.Advance(CredentialUses.Every);
        var phone = (await Run.JsonAsync("account", "show", User)).GetProperty("credentials")[1];
        Assert.Equal(("127.0.0.2", "devices"), (phone.GetProperty("lastUse").GetProperty("client").GetString(), phone.GetProperty("lastUse").GetProperty("listener").GetString()));
        Assert.Equal("127.0.0.2/32", phone.GetProperty("limits").GetProperty("boundTo").GetString());
        var shown = await Run.PosternAsync("account", "show", User);
        Assert.Contains("from 127.0.0.2 on devices", shown.Output, StringComparison.Ordinal);
        Assert.Contains("on devices, from its first network 127.0.0.2/32", shown.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, shown.Output + await File.ReadAllTextAsync(Directory.GetFiles(Path.Combine(Run.Data, "logs"), "auth-*.jsonl")[0], TestContext.Current.CancellationToken), StringComparison.Ordinal);

        // The last use outlives the server, written at its end.
        await ExpectAsync("235", secret, "devices", Phone);
        await server.Host.DisposeAsync();
        Assert.NotEqual(phone.GetProperty("lastUse").GetRawText(), (await Run.JsonAsync("credential", "list", User))[1].GetProperty("lastUse").GetRawText());
    }

    [Fact]
    public async Task A_narrow_one_sends_as_what_it_may_whatever_its_account_may_and_explain_says_so()
    {
        await server.StartAsync(Listeners);
        await Run.PosternAsync("account", "grant", User, "--domain", "example.org");
        var secret = await AddAsync("--app", "--label", "scanner", "--sender", "scanner@example.org", "--sender", "other@example.com");
        Assert.Contains("warning: the account may not send as other@example.com", lastAdded, StringComparison.Ordinal);

        await using var session = await GreetAsync("devices", Phone);
        await session.LogInAsync(User, secret);
        await session.SayAsync("MAIL FROM:<scanner@example.org>", "250");
        await session.SayAsync("RSET", "250");
        await session.SayAsync("MAIL FROM:<>", "250");
        await session.SayAsync("RSET", "250");
        await session.SayAsync("MAIL FROM:<other@example.com>", "550");
        var refused = await session.SayAsync($"MAIL FROM:<{User}>", "553 5.7.1 ");
        await server.FlushLogAsync();

        var reference = Reference().Match(refused).Groups[1].Value;
        var explained = await Run.PosternAsync("explain", reference);
        Assert.Contains("refuse by credential_senders", explained.Output, StringComparison.Ordinal);
        Assert.Contains($"credential scanner (#2) may send as other@example.com and scanner@example.org, and not as {User}", explained.Output, StringComparison.Ordinal);
        Assert.Contains($"postern credential limit {User} 2 --sender other@example.com --sender scanner@example.org --sender {User}", explained.Output, StringComparison.Ordinal);

        string[] question = ["explain", "--client", "127.0.0.2", "--login", User, "--from", User, "--to", "bart@example.net"];
        Assert.Equal(ExitCode.Ok, (await Run.PosternAsync(question)).ExitCode);
        var ahead = await Run.PosternAsync([.. question, "--credential", "scanner"]);
        Assert.Equal(ExitCode.No, ahead.ExitCode);
        Assert.Contains("the shortest change that permits it: postern credential limit", ahead.Output, StringComparison.Ordinal);

        // A limit that is lifted counts at the next message, in the open session too.
        await Run.PosternAsync("credential", "limit", User, "scanner", "--sender", "any");
        await session.SayAsync($"MAIL FROM:<{User}>", "250");
        await session.SayAsync("RSET", "250");
        await Run.PosternAsync("credential", "limit", User, "2", "--sender", "@example.com");
        await session.SayAsync($"MAIL FROM:<{User}>", "553");
    }

    [Fact]
    public async Task Explain_says_why_a_login_is_refused()
    {
        await server.StartAsync(Listeners);
        await AddAsync("--app", "--label", "phone", "--listener", "devices", "--network", "192.0.2.0/24", "--expires", "3h");
        string[] question = ["explain", "--login", User, "--credential", "phone", "--from", User, "--to", "bart@example.net", "--client"];

        var elsewhere = await Run.PosternAsync([.. question, "203.0.113.9"]);
        Assert.Equal(ExitCode.No, elsewhere.ExitCode);
        Assert.Contains("535 5.7.8: the credential phone (#2) may be used from 192.0.2.0/24, and not from 203.0.113.9", elsewhere.Error, StringComparison.Ordinal);
        Assert.Contains($"postern credential limit {User} 2", elsewhere.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, (await Run.PosternAsync([.. question, "192.0.2.7"])).ExitCode);
        Assert.Contains("and not on office", (await Run.PosternAsync([.. question, "192.0.2.7", "--listener", "office"])).Error, StringComparison.Ordinal);
        server.Clock.Advance(TimeSpan.FromHours(3));
        Assert.Contains("expired at", (await Run.PosternAsync([.. question, "192.0.2.7"])).Error, StringComparison.Ordinal);
        question[4] = "tablet";
        var none = await Run.PosternAsync([.. question, "192.0.2.7"]);
        Assert.Equal((ExitCode.Usage, true), (none.ExitCode, none.Error.Contains($"{User} has no credential 'tablet'", StringComparison.Ordinal)));
        Assert.Equal(ExitCode.Usage, (await Run.PosternAsync("explain", "--credential", "phone", "--from", User, "--to", User, "--client", "192.0.2.7")).ExitCode);
    }

    [Fact]
    public async Task A_revoked_one_ends_its_sessions_and_nobody_elses()
    {
        await server.StartAsync(Listeners);
        var secret = await AddAsync("--app", "--label", "phone");
        await using var phone = await GreetAsync("devices", Phone);
        await phone.LogInAsync(User, secret);
        await using var laptop = await GreetAsync("office", Thief);
        await laptop.LogInAsync(User, LiveServer.Password);

        var revoked = await Run.PosternAsync("credential", "revoke", User, "2");

        Assert.Contains("1 open session ended", revoked.Output, StringComparison.Ordinal);
        Assert.StartsWith("421", await phone.ReadToEndAsync(), StringComparison.Ordinal);
        await laptop.SayAsync($"MAIL FROM:<{User}>", "250");
        await ExpectAsync("535", secret, "devices", Phone);
    }

    [Fact]
    public async Task The_accounts_own_password_and_an_app_password_log_in_by_every_mechanism()
    {
        await server.StartAsync(Listeners);
        var secret = await AddAsync("--app", "--label", "phone", "--listener", "devices");

        foreach (var mechanism in new[] { "PLAIN", "LOGIN", "SCRAM-SHA-256" })
        {
            Assert.StartsWith("235", await LogInAsync(mechanism, LiveServer.Password, "office"), StringComparison.Ordinal);
            Assert.StartsWith("235", await LogInAsync(mechanism, LiveServer.Password, "devices"), StringComparison.Ordinal);
        }

        foreach (var mechanism in new[] { "PLAIN", "LOGIN", "SCRAM-SHA-256" })
        {
            Assert.StartsWith("235", await LogInAsync(mechanism, secret, "devices"), StringComparison.Ordinal);
            Assert.StartsWith("535", await LogInAsync(mechanism, secret, "office"), StringComparison.Ordinal);
        }

        await server.FlushLogAsync();
        var found = (await Run.JsonAsync("log", "auth", "--credential", "2")).EnumerateArray().Select(static e => (e.GetProperty("mechanism").GetString()!, e.GetProperty("outcome").GetString()!));
        Assert.Equal([("PLAIN", "ok"), ("PLAIN", "failed"), ("LOGIN", "ok"), ("LOGIN", "failed"), ("SCRAM-SHA-256", "ok"), ("SCRAM-SHA-256", "failed")], found);
    }

    private async Task<string> AddAsync(params string[] options)
    {
        var added = await Run.PosternAsync(["credential", "add", User, .. options]);
        Assert.True(added.ExitCode == ExitCode.Ok, added.Error);
        lastAdded = added.Output;
        // A command has the system's clock, and the server one that stands still: what was made is used later.
        server.Clock.Advance(TimeSpan.FromHours(1));
        return Secret().Match(added.Output).Groups[1].Value;
    }

    private Task<SmtpDialogue> GreetAsync(string listener, IPAddress source) =>
        SmtpDialogue.GreetAsync(server.Host.Relay.Endpoints.Single(e => e.Listener.Name == listener).Endpoint, source: source);

    private async Task<string> ExpectAsync(string code, string secret, string listener, IPAddress source)
    {
        await using var session = await GreetAsync(listener, source);
        return await session.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain(User, secret)}", code);
    }

    private async Task<string> LogInAsync(string mechanism, string secret, string listener)
    {
        await using var session = await GreetAsync(listener, Phone);
        return (await session.LogInAsync(mechanism, new SaslClientCredentials { User = User, Password = new Secret(secret), Host = "mail.example.org" })).Reply;
    }

    [GeneratedRegex("^secret: ([0-9a-z]{4}(-[0-9a-z]{4}){6})$", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex Secret();

    [GeneratedRegex(@"\(ref ([0-9A-Z]{6})\)", RegexOptions.NonBacktracking)]
    private static partial Regex Reference();
}
