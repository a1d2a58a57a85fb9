using System.Net;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Web.Access;
using Postern.Web.Documents;
using Postern.Web.Parts;

namespace Postern.Web.Tests.Pages;

/// <summary>Pages as a browser gets them, over a queue and a log.</summary>
public sealed class ServedPagesTests
{
    private static readonly string[] Urls = ["/", "/messages", "/messages/01KBAYZ3TE4V6W8Y0A2C4E6G8J", "/queue", "/explain"];

    [Fact]
    public async Task Only_who_may_sees_a_page()
    {
        await using var served = await ServedPages.StartAsync();
        foreach (var url in Urls)
        {
            served.Caller = Caller.Nobody;
            var nobody = await served.GetAsync(url);
            Assert.Equal((HttpStatusCode.SeeOther, $"/login?next={Uri.EscapeDataString(url)}"), (nobody.Status, nobody.Location));
            served.Caller = new Caller("key 7", Scopes.MetricsRead, AdminDoor.Api);
            Assert.Equal(HttpStatusCode.Forbidden, (await served.GetAsync(url)).Status);
        }

        // What is the whole server's is not there for a tenant.
        served.Caller = Tenant("mine");
        Assert.Equal(HttpStatusCode.NotFound, (await served.GetAsync("/")).Status);
        Assert.Equal(HttpStatusCode.OK, (await served.GetAsync("/queue")).Status);
        foreach (var route in served.Routes.All.Where(static route => route.Method == "POST"))
        {
            served.Caller = Caller.Nobody;
            using var answer = await served.PostAsync(route.Template, "same-origin", ("__token", "good"));
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    [Fact]
    public async Task A_form_of_another_site_changes_nothing()
    {
        await using var served = await ServedPages.StartAsync();
        var id = await served.QueueAsync("bart@example.net");
        (string, string)[] fields = [("action", "hold"), ("id", id), ("shown", "1"), ("__token", "good")];
        foreach (var site in (string?[])["cross-site", "same-site", "none", null])
        {
            using var answer = await served.PostAsync("/queue/changes", site, fields);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        using (var answer = await served.PostAsync("/queue/changes", "same-origin", fields[..3]))
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.False(await IsHeldAsync(served, id));
        using (var answer = await served.PostAsync("/queue/changes", "same-origin", fields))
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.True(await IsHeldAsync(served, id));
    }

    [Fact]
    public async Task Many_are_changed_after_their_number_was_shown_and_not_when_it_is_another()
    {
        await using var served = await ServedPages.StartAsync();
        for (var i = 0; i < 3; i++)
            await served.QueueAsync("bart@example.net");
        var other = await served.QueueAsync("lisa@example.com");
        var page = Parse((await served.GetAsync("/queue?to=example.net&older-than=0s&ask=bounce")).Html);
        Assert.Equal("Give up: 3 messages", page.QuerySelector("dialog h2")!.TextContent.Trim());
        Assert.Equal("postern queue bounce --to example.net --older-than 0s", page.QuerySelector("dialog .cli code")!.TextContent);
        var fields = page.QuerySelectorAll("dialog input[type=hidden]").Select(static e => (e.GetAttribute("name")!, e.GetAttribute("value")!)).ToList();
        fields.Add(("with", "The mailbox has moved"));

        // One that came later is not meant by what was shown.
        await served.QueueAsync("bart@example.net");
        using (var answer = await served.PostAsync("/queue/changes", "same-origin", fields))
            Assert.Equal((HttpStatusCode.SeeOther, "/queue?to=example.net&older-than=0s"), (answer.StatusCode, answer.Headers.Location?.ToString()));
        Assert.Equal(3, await CountAsync(served, static entry => entry.State.Return?.Why == "The mailbox has moved"));

        // All of them are five by now, and somebody saw four.
        using (var answer = await served.PostAsync("/queue/changes", "same-origin", ("action", "hold"), ("shown", "4"), ("__token", "good")))
            Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.False(await IsHeldAsync(served, other));
    }

    [Fact]
    public async Task A_tenant_neither_sees_nor_changes_what_is_not_its_own()
    {
        await using var served = await ServedPages.StartAsync();
        var (own, foreign) = (await served.QueueAsync("bart@example.net", "mine"), await served.QueueAsync("secret@example.com", "theirs"));
        served.Caller = Tenant("mine");
        foreach (var url in (string[])["/queue", "/queue?tenant=theirs", $"/queue?id={foreign}", $"/queue?id={foreign}&ask=hold", "/messages", $"/messages/{foreign}?ask=remove"])
        {
            var html = (await served.GetAsync(url)).Html;
            Assert.DoesNotContain("secret@example.com", html, StringComparison.Ordinal);
            Assert.DoesNotContain("Hold: 1 message", html, StringComparison.Ordinal);
        }

        Assert.Contains("Nothing was found", (await served.GetAsync("/messages?q=secret%40example.com")).Html, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await served.GetAsync($"/messages/{foreign}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await served.GetAsync($"/messages/{own}")).Status);
        using var answer = await served.PostAsync("/queue/changes", "same-origin", ("action", "remove"), ("id", foreign), ("shown", "1"), ("__token", "good"));
        Assert.NotEqual(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.Equal(2, served.Spool.Count);
    }

    [Fact]
    public async Task What_is_pasted_leads_to_where_it_is()
    {
        await using var served = await ServedPages.StartAsync();
        var id = await served.QueueAsync("bart@example.net");
        var at = TimeProvider.System.GetUtcNow();
        var origin = new EventOrigin("s1", "submission", "192.0.2.7") { User = "app@example.org" };
        await served.Log.WriteAsync(
            new AcceptedEvent(at, origin, id, "app@example.org", ["bart@example.net"], 20) { MessageId = "<1@app.example.org>" },
            new DecisionEvent(at, origin, "7QW4T2", "recipient", DecisionOutcome.Refuse, "reject_unauth_destination", "app@example.org", "lisa@example.com") { Reply = "550 5.7.1 no" });
        foreach (var text in (string[])[id, id.ToLowerInvariant(), "bart@example.net", "<1@app.example.org>", "1@app.example.org"])
        {
            var (status, location, _) = await served.GetAsync($"/messages?q={Uri.EscapeDataString(text)}");
            Assert.Equal((HttpStatusCode.SeeOther, $"/messages/{id}"), (status, location));
        }

        Assert.Equal("/explain?ref=7QW4T2", (await served.GetAsync("/messages?q=7qw4t2")).Location);
        Assert.Contains("reject_unauth_destination", (await served.GetAsync("/explain?ref=7qw4t2")).Html, StringComparison.Ordinal);
        // Its login has sent two things: both are shown.
        var page = Parse((await served.GetAsync("/messages?q=app%40example.org")).Html);
        Assert.Equal(2, page.QuerySelectorAll(".rows tbody tr").Length);
        Assert.Contains("as sender", page.QuerySelector("main")!.TextContent, StringComparison.Ordinal);
        var nothing = await served.GetAsync("/messages?q=nobody%40example.net&colour=red");
        Assert.Equal(HttpStatusCode.OK, nothing.Status);
        Assert.Contains("Nothing was found for this recipient", nothing.Html, StringComparison.Ordinal);
        Assert.Contains("colour", Parse(nothing.Html).QuerySelector(".ignored")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("is waiting for its first attempt", (await served.GetAsync($"/messages/{id}")).Html, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await served.GetAsync("/messages/not-an-id")).Status);
    }

    [Fact]
    public async Task A_header_is_content_and_each_look_at_it_is_written_down()
    {
        await using var served = await ServedPages.StartAsync();
        var id = await served.QueueAsync("bart@example.net", "theirs");
        Assert.Contains("This needs the scope messages.content", (await served.GetAsync($"/messages/{id}?tab=headers")).Html, StringComparison.Ordinal);
        Assert.Empty(served.Told.OfType<AdminEvent>());
        served.Caller = new Caller("otto", Role.Owner.Scopes, AdminDoor.Console);
        var page = Parse((await served.GetAsync($"/messages/{id}?tab=headers")).Html);
        Assert.Equal(["Subject"], page.QuerySelectorAll(".header tbody th code").Select(static e => e.TextContent));
        var look = Assert.Single(served.Told.OfType<AdminEvent>());
        Assert.Equal(("otto", "queue read", id), (look.Actor, look.Action, look.Target));
        served.Caller = Tenant("mine") with { Scopes = Role.Owner.Scopes };
        Assert.DoesNotContain("Subject", (await served.GetAsync($"/messages/{id}?tab=headers")).Html, StringComparison.Ordinal);
        Assert.Single(served.Told.OfType<AdminEvent>());
    }

    [Fact]
    public async Task The_overview_says_what_is_wrong_and_where()
    {
        await using var served = await ServedPages.StartAsync();
        await served.QueueAsync("bart@example.net");
        foreach (var window in (string[])["", "?window=24h", "?window=7d", "?window=x"])
        {
            var page = Parse((await served.GetAsync("/" + window)).Html);
            Assert.Contains("the certificate of CN=mail.example.org ends in 4 d", page.QuerySelector(".problems")!.TextContent, StringComparison.Ordinal);
            Assert.Equal("/queue?to=example.net", page.QuerySelector(".destinations a")!.GetAttribute("href"));
            Assert.Equal(2, page.QuerySelectorAll(".bars svg").Length);
        }
    }

    [Fact]
    public async Task A_question_is_asked_of_the_rules_of_now()
    {
        await using var served = await ServedPages.StartAsync();
        served.Answer = new WhatIfAnswer { RefusedBefore = 530, Problem = new("530 5.7.0: no mail before STARTTLS", "Ask again with --tls.") };
        var page = Parse((await served.GetAsync("/explain?tab=what-if&client=192.0.2.7&from=%3C%3E&to=lisa%40example.com&login=app")).Html);
        Assert.Equal(("192.0.2.7", "<>", "lisa@example.com", "app"), (served.Asked!.Client, served.Asked.From, served.Asked.To, served.Asked.Login));
        Assert.Contains("no mail before STARTTLS", page.QuerySelector(".lead")!.TextContent, StringComparison.Ordinal);
        Assert.Equal("postern explain --client 192.0.2.7 --login app --from '<>' --to lisa@example.com", page.QuerySelector(".cli code")!.TextContent);
    }

    [Fact]
    public async Task A_setting_is_kept_and_leads_back()
    {
        await using var served = await ServedPages.StartAsync();
        using var answer = await served.PostAsync(
            "/preferences", "same-origin", ("theme", "dark"), ("clock", "utc"), ("keys", "on"), ("return", "/queue?to=x"), ("__token", "good"));
        Assert.Equal((HttpStatusCode.SeeOther, "/queue?to=x"), (answer.StatusCode, answer.Headers.Location?.ToString()));
        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        Assert.StartsWith("postern-view=dark.utc.on;", cookie, StringComparison.Ordinal);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Files_of_pages_are_kept_for_good_and_come_packed()
    {
        await using var served = await ServedPages.StartAsync();
        served.Caller = Caller.Nobody;
        using var request = new HttpRequestMessage(HttpMethod.Get, AssetFiles.Script.Url);
        request.Headers.AcceptEncoding.ParseAdd("br");
        using var answer = await served.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal("br", Assert.Single(answer.Content.Headers.ContentEncoding));
        Assert.Contains("immutable", answer.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await served.GetAsync("/assets/console.js")).Status);
    }

    private static Caller Tenant(string name) => new("tina", Role.TenantManager.Scopes, AdminDoor.Console) { Tenant = name };

    private static IHtmlDocument Parse(string html) => new HtmlParser().ParseDocument(html);

    private static async Task<bool> IsHeldAsync(ServedPages served, string id) =>
        QueueId.TryParse(id, out var wanted) && (await served.Spool.FindAsync(wanted, TestContext.Current.CancellationToken))?.State.Held == true;

    private static async Task<int> CountAsync(ServedPages served, Func<Postern.Relay.Spool.SpoolEntry, bool> fits) =>
        (await served.Spool.ListAsync(Postern.Relay.Spool.QueueFilter.Everything, after: null, 100, TestContext.Current.CancellationToken)).Count(fits);
}
