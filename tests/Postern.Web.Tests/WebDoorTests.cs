using System.Net;
using Microsoft.AspNetCore.Http;
using Postern.Relay.Audit.Events;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Doors;
using Postern.Web.Tests.Access;

namespace Postern.Web.Tests;

/// <summary>What the door of the network asks before anything else.</summary>
public sealed class WebDoorTests : IDisposable
{
    private readonly AccessRig rig = new();

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("127.0.0.1:2580", true)]
    [InlineData("[::1]:2580", true)]
    [InlineData("POSTERN.example.org", true)]
    [InlineData("evil.example", false)]
    [InlineData("postern.example.org.evil.example", false)]
    [InlineData("192.0.2.1", false)]
    [InlineData("", false)]
    public void Only_names_of_this_server_are_heard(string host, bool isHeard)
    {
        using var door = new WebDoor(new WebOptions([]) { Hosts = ["postern.example.org"] }, rig.Access);
        var context = new DefaultHttpContext();
        context.Request.Host = new HostString(host);

        Assert.Equal(isHeard, door.WhyNot(context) is null);
    }

    [Theory]
    [InlineData("203.0.113.9", "198.51.100.7", "203.0.113.9")] // no proxy of ours: its word counts for nothing
    [InlineData("192.0.2.1", "198.51.100.7", "198.51.100.7")]
    [InlineData("192.0.2.1", "6.6.6.6, 198.51.100.7", "198.51.100.7")] // what stands to the left anybody can write
    [InlineData("192.0.2.1", "6.6.6.6, 198.51.100.7, 192.0.2.2", "198.51.100.7")] // two proxies of ours
    [InlineData("192.0.2.1", "6.6.6.6, nonsense", "192.0.2.1")]
    [InlineData("192.0.2.1", "", "192.0.2.1")]
    public void The_rightmost_address_that_is_no_proxy_is_the_client(string peer, string forwarded, string client)
    {
        using var door = new WebDoor(new WebOptions([]) { Proxies = [IPNetwork.Parse("192.0.2.0/24")] }, rig.Access);
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(peer);
        context.Request.Headers["X-Forwarded-For"] = forwarded;
        context.Request.Headers["X-Forwarded-Proto"] = "https";

        door.Prepare(context);

        Assert.Equal(IPAddress.Parse(client), context.Connection.RemoteIpAddress);
        Assert.Equal(peer == "192.0.2.1", context.Request.IsHttps);
    }

    [Theory]
    [InlineData("same-origin", null, true)]
    [InlineData("cross-site", null, false)]
    [InlineData("same-site", null, false)]
    [InlineData("none", null, false)]
    [InlineData(null, "http://localhost", true)]
    [InlineData(null, "http://evil.example", false)]
    [InlineData(null, "null", false)]
    [InlineData(null, null, false)]
    public void A_browser_changes_nothing_on_behalf_of_another_site(string? site, string? origin, bool isDone)
    {
        using var door = new WebDoor(new WebOptions([]), rig.Access);
        var route = WebRoutes.All.First(static one => one.Method == "POST");
        var context = new DefaultHttpContext();
        context.Request.Scheme = "http";
        context.Request.Host = new HostString("localhost");
        if (site is not null)
            context.Request.Headers["Sec-Fetch-Site"] = site;
        if (origin is not null)
            context.Request.Headers.Origin = origin;

        Assert.Equal(isDone, door.WhyNot(context, route, new Caller("anna", Scopes.QueueWrite, AdminDoor.Console)) is null);
        Assert.Null(door.WhyNot(context, route, new Caller("key 1", Scopes.QueueWrite, AdminDoor.Api)));
    }

    [Fact]
    public async Task Every_answer_says_what_a_browser_may_do_with_it()
    {
        using var door = new WebDoor(new WebOptions([]), rig.Access);
        await using var plane = new PlaneRig(door);

        foreach (var (path, host) in ((string, string)[])[("/nothing", "localhost"), (Route.Base + "/status", "localhost"), ("/", "evil.example")])
        {
            var (status, _, headers) = await plane.AskAsync("GET", path, prepare: context => context.Request.Host = new HostString(host));
            Assert.True(status is 401 or 404 or 421);
            Assert.StartsWith("default-src 'none'", headers.ContentSecurityPolicy.ToString(), StringComparison.Ordinal);
            Assert.Equal("nosniff", headers.XContentTypeOptions.ToString());
            Assert.Equal("no-store", headers.CacheControl.ToString());
        }
    }

    public void Dispose() => rig.Dispose();
}
