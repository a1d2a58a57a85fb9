using System.Text;
using System.Threading.Channels;
using Postern.Relay.Audit.Events;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;
using Route = Postern.Web.Calls.Route;

namespace Postern.Web.Tests;

/// <summary>Who may ask what, proven by walking the table and not by reading code.</summary>
public sealed class WebPlaneTests
{
    public static TheoryData<string, string> Routes => [.. WebRoutes.All.Select(static route => (route.Method, route.Template))];

    [Fact]
    public async Task Every_endpoint_is_a_line_of_the_table_but_for_the_meanings_of_words()
    {
        await using var rig = new PlaneRig();

        var strangers = rig.Endpoints.Where(static one => one.Metadata.GetMetadata<Route>() is null).Select(static one => one.DisplayName);

        Assert.Equal(["HTTP: GET /problems/{word}"], strangers);
        Assert.Equal(WebRoutes.All.Length, rig.Endpoints.Count - 1);
        Assert.All(WebRoutes.All, static route => Assert.NotEqual(Scopes.None, route.Scope));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_line_is_answered_to_nobody_without_its_scope(string method, string template)
    {
        await using var rig = new PlaneRig();
        var route = WebRoutes.All.Single(one => one.Method == method && one.Template == template);
        var path = Route.Base + PathOf(route);

        Assert.Equal(401, (await rig.AskAsync(method, path, "{}")).Status);
        rig.Caller = new Caller("key 1", AllScopes & ~route.Scope, AdminDoor.Api);
        var (status, body, _) = await rig.AskAsync(method, path, "{}");
        Assert.Equal(403, status);
        Assert.Contains($"\"scope\": \"{ScopeWords.WordOf(route.Scope)}\"", body, StringComparison.Ordinal);
        rig.Caller = new Caller("key 2", AllScopes, AdminDoor.Api) { Tenant = "acme" };
        if (!route.IsForTenants)
            Assert.Equal(404, (await rig.AskAsync(method, path, "{}")).Status);
        rig.Caller = new Caller("anna", AllScopes, AdminDoor.Console) { ProvedAt = rig.Clock.GetUtcNow() - Route.ProofHolds - TimeSpan.FromSeconds(1) };
        if (route.AsksProof)
            Assert.Contains("prove-again", (await rig.AskAsync(method, path, "{}")).Body, StringComparison.Ordinal);
        Assert.Empty(rig.Told);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Other_spellings_of_an_address_open_nothing(string method, string template)
    {
        await using var rig = new PlaneRig();
        var path = PathOf(WebRoutes.All.Single(one => one.Method == method && one.Template == template));

        foreach (var spelled in (string[])
            [
                Route.Base + path.Replace("/q", "/%71", StringComparison.Ordinal).Replace("/a", "/%61", StringComparison.Ordinal).Replace("/s", "/%73", StringComparison.Ordinal),
                (Route.Base + path).ToUpperInvariant(), $"/{Route.Base}{path}", $"{Route.Base}/{path}", $"{Route.Base}/x/..{path}", $"{Route.Base}{path}/", $"{Route.Base}%2f{path[1..]}",
            ])
            Assert.True((await rig.AskAsync(method, spelled, "{}")).Status is 401 or 404, spelled);
    }

    [Fact]
    public void Every_document_of_the_table_is_one() => Assert.All(
        WebRoutes.All.SelectMany(static route => (Type?[])[route.Takes, route.Gives]).OfType<Type>(), static type => Assert.NotNull(ApiJson.TypeOf(type)));

    [Fact]
    public async Task What_stands_in_the_path_is_not_said_again_behind_it()
    {
        await using var rig = new PlaneRig { Caller = Owner };

        var (status, body, _) = await rig.AskAsync("GET", $"{Route.Base}/queue/01JD0K3ZQ8Y6X5V4T3S2R1P0NM?message=01JD0K3ZQ8Y6X5V4T3S2R1P0NN");

        Assert.Equal(400, status);
        Assert.Contains("?message", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_goes_wrong_here_is_told_to_the_log_and_the_caller_gets_its_number_alone()
    {
        await using var rig = new PlaneRig { Caller = Owner };

        var (status, body, _) = await rig.AskAsync("GET", $"{Route.Base}/status");

        Assert.Equal(500, status);
        Assert.DoesNotContain("secret", body, StringComparison.Ordinal);
        var told = Assert.Single(rig.Told);
        Assert.Contains("/secret/path is not there", told, StringComparison.Ordinal);
        Assert.Contains(told.Split(' ')[1], body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_ends_when_its_caller_may_not_any_more()
    {
        await using var rig = new PlaneRig { Caller = Owner };
        var answer = new WatchedStream();
        var asking = rig.AskAsync("GET", $"{Route.Base}/events/stream", answer);
        await answer.HearAsync(":");
        rig.Live.Offer(new ServerEvent(rig.Clock.GetUtcNow(), "started", "x"));
        await answer.HearAsync("\"what\":\"started\"");

        rig.Caller = Caller.Nobody;
        rig.Clock.Advance(TimeSpan.FromSeconds(61));
        // Whatever comes next has it looked at again: a ping, or an event.
        rig.Live.Offer(new ServerEvent(rig.Clock.GetUtcNow(), "late", "x"));
        await asking.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

        Assert.DoesNotContain("late", answer.Text, StringComparison.Ordinal);
        Assert.Empty(rig.Told);
    }

    [Fact]
    public async Task Many_messages_are_changed_only_with_the_number_that_was_shown()
    {
        await using var rig = new PlaneRig { Caller = Owner };
        const string Path = Route.Base + "/queue/changes";

        Assert.Equal(400, (await rig.AskAsync("POST", Path, """{"action":"Hold","filter":{}}""")).Status);
        var (status, body, _) = await rig.AskAsync("POST", Path, """{"action":"Hold","filter":{},"everything":true}""");
        Assert.Equal(428, status);
        var token = body.Split("\"token\": \"")[1].Split('"')[0];
        Assert.Equal(409, (await rig.AskAsync("POST", Path, $$"""{"action":"Remove","filter":{},"everything":true,"token":"{{token}}"}""")).Status);
        Assert.Equal(200, (await rig.AskAsync("POST", Path, $$"""{"action":"Hold","filter":{},"everything":true,"token":"{{token}}"}""")).Status);
        rig.Clock.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal(409, (await rig.AskAsync("POST", Path, $$"""{"action":"Hold","filter":{},"everything":true,"token":"{{token}}"}""")).Status);
    }

    [Fact]
    public async Task Each_kind_of_problem_is_explained_where_its_answer_says()
    {
        await using var rig = new PlaneRig();

        foreach (var problem in Problems.All)
            Assert.Contains(problem.Meaning, await TextAsync(rig, ProblemType.Path + problem.Word), StringComparison.Ordinal);
        Assert.Equal(404, (await rig.AskAsync("GET", ProblemType.Path + "nothing")).Status);
    }

    private static Caller Owner => new("anna", Role.Owner.Scopes, AdminDoor.Api);

    private static Scopes AllScopes => ScopeWords.All.Aggregate(Scopes.None, static (all, one) => all | one.Scope);

    private static async Task<string> TextAsync(PlaneRig rig, string path) => (await rig.AskAsync("GET", path, prepare: null)).Body;

    private static string PathOf(Route route) => string.Join('/', route.Template.Split('/').Select(static part => part.StartsWith('{') ? "x" : part));

    /// <summary>What is written, as it is written.</summary>
    private sealed class WatchedStream : MemoryStream
    {
        private readonly Channel<string> written = Channel.CreateUnbounded<string>();
        private readonly StringBuilder all = new();

        public string Text
        {
            get
            {
                lock (all)
                    return all.ToString();
            }
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            lock (all)
                all.Append(Encoding.UTF8.GetString(buffer.Span));
            written.Writer.TryWrite(string.Empty);
            return ValueTask.CompletedTask;
        }

        public async Task HearAsync(string text)
        {
            while (!Text.Contains(text, StringComparison.Ordinal))
                await written.Reader.ReadAsync(TestContext.Current.CancellationToken);
        }
    }
}
