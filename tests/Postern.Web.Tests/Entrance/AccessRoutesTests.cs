using System.Text.Json;
using Microsoft.Extensions.Primitives;
using Postern.Relay.Audit.Events;
using Postern.Web.Access;
using Postern.Web.Api;
using Postern.Web.Calls;
using Postern.Web.Documents;
using Postern.Web.Tests.Access;

namespace Postern.Web.Tests.Entrance;

/// <summary>Operators and keys as the API has them.</summary>
public sealed class AccessRoutesTests : IDisposable
{
    private readonly AccessRig rig = new();

    public void Dispose() => rig.Dispose();

    [Fact]
    public void They_are_the_owners_alone_and_changes_ask_for_a_proof_of_the_last_ten_minutes()
    {
        var now = rig.Clock.GetUtcNow();
        foreach (var route in (Route[])[.. OperatorRoutes.All, .. KeyRoutes.All])
        {
            Assert.NotNull(route.WhyNot(Caller.Nobody, now));
            foreach (var role in Role.All.Where(static role => role != Role.Owner))
                Assert.NotNull(route.WhyNot(new Caller("bart", role.Scopes, AdminDoor.Console) { Tenant = role.IsTenants ? "acme" : null, ProvedAt = now }, now));
            var owner = new Caller("lisa", Role.Owner.Scopes, AdminDoor.Console) { ProvedAt = now };
            Assert.Null(route.WhyNot(owner, now + TimeSpan.FromMinutes(10)));
            Assert.Equal(route.Changes, route.WhyNot(owner, now + TimeSpan.FromMinutes(11)) is Answer.Refused { Problem.Status: 403 });
            // A key and the socket prove it with each call.
            Assert.Null(route.WhyNot(owner with { ProvedAt = null }, now + TimeSpan.FromDays(1)));
        }
    }

    [Fact]
    public async Task An_owner_invites_changes_and_removes_operators_and_each_is_written_down()
    {
        rig.Add("lisa");
        var bart = rig.Add("bart", Role.Viewer);
        var cookie = await rig.SignInAsync(bart);
        var invited = Assert.IsType<Answer.Document>(await AskAsync("POST", "/operators/invitations", new NewInvitation("tenant-viewer", "acme")));
        Assert.Equal((201, true), (invited.Status, invited.Status == 201));
        var document = Assert.IsType<InvitedDocument>(invited.Value);
        Assert.Equal($"https://console.example.org/setup#{document.Code}", document.Link);
        Assert.Equal(404, Refused(await AskAsync("POST", "/operators/{operator}/disable", body: null, ("operator", "nobody"))));
        Assert.Equal(422, Refused(await AskAsync("POST", "/operators/invitations", new NewInvitation("king"))));
        Assert.Equal(422, Refused(await AskAsync("DELETE", "/operators/{operator}", body: null, ("operator", "lisa"))));

        var sessions = Assert.IsType<System.Collections.Immutable.ImmutableArray<SessionDetails>>(Done(await AskAsync("GET", "/operators/sessions", body: null)));
        Assert.Equal("bart", Assert.Single(sessions).Operator);
        Assert.Equal(new SessionsEnded(1), Done(await AskAsync("DELETE", "/operators/{operator}/sessions", body: null, ("operator", "bart"), ("session", "1"))));
        Assert.Null(await rig.FindAsync(cookie));
        Assert.Equal(404, Refused(await AskAsync("DELETE", "/operators/{operator}/sessions", body: null, ("operator", "bart"))));
        Done(await AskAsync("POST", "/operators/{operator}/role", new NewRole("operator"), ("operator", "bart")));
        Done(await AskAsync("POST", "/operators/{operator}/disable", body: null, ("operator", "bart")));
        Done(await AskAsync("POST", "/operators/{operator}/enable", body: null, ("operator", "bart")));
        Done(await AskAsync("DELETE", "/operators/{operator}", body: null, ("operator", "bart")));

        var page = Assert.IsType<OperatorPage>(Done(await AskAsync("GET", "/operators", body: null)));
        Assert.Equal(("lisa", "tenant-viewer"), (Assert.Single(page.Operators).Name, Assert.Single(page.Invitations).Role));
        string[] actions = ["operator invite", "operator disable", "operator invite", "operator remove", "operator session end", "operator role", "operator disable", "operator enable", "operator remove"];
        var events = rig.Log.Admin.Where(static e => e.Actor == "marge").ToList();
        Assert.Equal(actions, events.Select(static e => e.Action));
        Assert.All(events, static e => Assert.Equal((AdminDoor.Api, "192.0.2.44"), (e.Via, e.Client)));
    }

    [Fact]
    public async Task A_key_is_made_listed_and_removed()
    {
        var made = Assert.IsType<Answer.Document>(await AskAsync("POST", "/keys", new NewKey("grafana", ["metrics.*"]) { ExpiresAfter = 3600, Networks = ["192.0.2.0/24"] }));
        Assert.Equal((201, true), (made.Status, made.Status == 201));
        var issued = Assert.IsType<KeyIssuedDocument>(made.Value);
        Assert.NotNull(await rig.Keys.FindAsync(issued.Key, AccessRig.Home, AccessRig.Ct));
        var listed = JsonSerializer.Serialize(Done(await AskAsync("GET", "/keys", body: null)), ApiJson.TypeOf(typeof(System.Collections.Immutable.ImmutableArray<KeyDetails>)));
        Assert.Contains(issued.Details.Id, listed, StringComparison.Ordinal);
        Assert.DoesNotContain(issued.Key.Split('_')[2], listed, StringComparison.Ordinal);

        Assert.Equal(400, Refused(await AskAsync("POST", "/keys", new NewKey("x", ["metrics.raed"]))));
        Assert.Equal(400, Refused(await AskAsync("POST", "/keys", new NewKey("x", ["metrics.read"]) { ExpiresAfter = long.MaxValue })));
        Assert.Equal(422, Refused(await AskAsync("POST", "/keys", new NewKey("x", []))));
        Assert.Equal(422, Refused(await AskAsync("POST", "/keys", new NewKey("x", ["messages.send"]))));
        Done(await AskAsync("DELETE", "/keys/{key}", body: null, ("key", "grafana")));
        Assert.Null(await rig.Keys.FindAsync(issued.Key, AccessRig.Home, AccessRig.Ct));
        Assert.Equal(404, Refused(await AskAsync("DELETE", "/keys/{key}", body: null, ("key", "grafana"))));
    }

    private static object Done(Answer answer) => Assert.IsType<Answer.Document>(answer).Value;

    private static int Refused(Answer answer) => Assert.IsType<Answer.Refused>(answer).Problem.Status;

    private async Task<Answer> AskAsync(string method, string template, object? body, params (string Name, string Value)[] given)
    {
        var route = WebRoutes.All.Single(route => route.Method == method && route.Template == template);
        Assert.Equal(route.Takes, body?.GetType());
        var caller = new Caller("marge", Role.Owner.Scopes, AdminDoor.Api) { Client = "192.0.2.44" };
        // Nothing else of a server is asked here.
        var server = new ServedRelay
        {
            Clock = rig.Clock, Audit = rig.Log, Access = rig.Access, Console = "https://console.example.org", Status = null!, Queue = null!, QueueChanges = null!, Destinations = null!, Sessions = null!, Reload = null!,
            Explain = null!, Shaping = null!,
        };
        var (call, objection) = Call.Read(route, caller, server, given.Select(static one => KeyValuePair.Create(one.Name, new StringValues(one.Value))), body, AccessRig.Ct);
        Assert.Null(objection);
        return await route.AskAsync(call!);
    }
}
