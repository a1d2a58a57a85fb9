using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>One request for a page: who looks, may he, and what he is shown.</summary>
/// <param name="id">Of the call; it stands on the page that says what went wrong, and in the log.</param>
internal sealed class PageExchange(HttpContext context, PageDoor door, ServedRelay server, PageRoutes pages, string id)
{
    private const string SignIn = "/login";
    private const string NoticeCookie = "postern-notice";

    private static readonly TimeSpan KeepsPreferences = TimeSpan.FromDays(400);

    public async Task AnswerAsync(PageRoute route)
    {
        var caller = await door.FindCallerAsync(context);
        var form = route.Method == "POST" && context.Request.HasFormContentType
            ? await context.Request.ReadFormAsync(context.RequestAborted)
            : FormCollection.Empty;
        var frame = FrameOf(caller, route);
        await WriteAsync(route.WhyNot(caller) switch
        {
            401 when route.Method == "GET" => new PageAnswer.Elsewhere(PageUrl.Of(SignIn, ("next", frame.Url))),
            401 => await FailAsync(frame, "Nothing was changed", "nobody is signed in any more", "Sign in, and do it again.", 401),
            404 => await FailAsync(frame, "Not there", "there is no such page", "Look at the pages beside.", 404),
            403 => await FailAsync(frame, "Not allowed", "your role does not have this page", "Ask an owner of this server.", 403),
            _ when route.Method == "POST" && (WhyNotFromHere() ?? door.WhyNot(context, caller, form)) is { } why =>
                await FailAsync(frame, "Nothing was changed", why, "Go back, load the page again, and do it again.", 403),
            _ => await ShowAsync(route, caller, frame, form),
        });
    }

    /// <summary>A browser says where a form stood; one that says nothing is not heard.</summary>
    private string? WhyNotFromHere()
    {
        var headers = context.Request.Headers;
        if (headers.TryGetValue("Sec-Fetch-Site", out var site))
            return site == "same-origin" ? null : "the form stood on another site";
        return headers.Origin == $"{context.Request.Scheme}://{context.Request.Host}" ? null : "the form does not say where it stood";
    }

    private async ValueTask<PageAnswer> ShowAsync(PageRoute route, Caller caller, PageFrame frame, IFormCollection form)
    {
        var given = new Dictionary<string, StringValues>(StringComparer.Ordinal);
        foreach (var (name, value) in route.Method == "POST" ? form : context.Request.Query.AsEnumerable())
            given[name] = value;
        foreach (var (name, value) in context.Request.RouteValues)
            given[name] = value?.ToString();
        try
        {
            return await route.ShowAsync(new PageCall(pages.Api, caller, server, frame, given, context.RequestAborted));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            server.Tell("page failed", $"{id}: {e.GetType().Name}: {e.Message}");
            return await FailAsync(frame, "It went wrong here", "the page could not be made", "Mail goes on. Load it again.", 500);
        }
    }

    private PageFrame FrameOf(Caller caller, PageRoute route)
    {
        var (request, now) = (context.Request, server.Clock.GetUtcNow());
        var status = server.Status();
        return new PageFrame(now, status.Hostname, caller.IsNobody ? new("not signed in", Tone.Plain) : StateOf(status))
        {
            Url = request.Method == "GET" ? request.Path + request.QueryString : "/",
            Who = caller.Name,
            Role = Role.All.FirstOrDefault(one => one.Scopes == caller.Scopes && one.IsTenants == caller.Tenant is not null)?.Name,
            Tenant = caller.Tenant,
            Preferences = Preferences.Parse(request.Cookies[Preferences.Cookie]),
            Zone = server.Clock.LocalTimeZone,
            Ignored = request.Method == "GET"
                ? [.. request.Query.Keys.Where(name => !route.Names.Contains(name, StringComparer.Ordinal)).Take(10)]
                : [],
            Token = door.TokenOf(context, caller),
            Notice = request.Cookies[NoticeCookie],
        };
    }

    /// <summary>One word for the whole server. Tenants read it too: it says nothing that clients do not notice.</summary>
    private static State StateOf(StatusDocument status) =>
        status.Queue.Condition != "writable" ? new("takes no mail", Tone.Bad)
        : status.Load.State == "full" ? new("full", Tone.Bad)
        : status.Deliveries.HeldBecause is not null ? new("sends nothing", Tone.Bad)
        : status.Load.State == "stressed" || status.Stores.Any(static store => store.DownSince is not null) ? new("degraded", Tone.Warn)
        : new("running", Tone.Good);

    private ValueTask<PageAnswer> FailAsync(PageFrame frame, string title, string what, string todo, int status) =>
        pages.FailAsync(frame, title, new Trouble(what, todo) { Word = title.ToLowerInvariant(), Id = id }, status);

    private async Task WriteAsync(PageAnswer answer)
    {
        var response = context.Response;
        response.Headers.CacheControl = "no-store";
        if (answer is PageAnswer.Elsewhere(var url, var notice) elsewhere)
        {
            if (elsewhere.Preferences is { } preferences)
                response.Cookies.Append(Preferences.Cookie, preferences.ToString(), CookieFor(KeepsPreferences));
            if (notice is not null)
                response.Cookies.Append(NoticeCookie, notice, CookieFor(TimeSpan.FromSeconds(30)));
            response.StatusCode = StatusCodes.Status303SeeOther;
            response.Headers.Location = url;
            return;
        }

        var page = (PageAnswer.Html)answer;
        if (context.Request.Cookies.ContainsKey(NoticeCookie))
            response.Cookies.Delete(NoticeCookie);
        response.StatusCode = page.Status;
        response.ContentType = "text/html; charset=utf-8";
        await response.WriteAsync(page.Text, context.RequestAborted);
    }

    /// <summary>What is in them is no secret, and no right hangs on it; scripts need it not.</summary>
    private CookieOptions CookieFor(TimeSpan age) => new()
    {
        HttpOnly = true, Secure = context.Request.IsHttps, SameSite = SameSiteMode.Strict, Path = "/", MaxAge = age, IsEssential = true,
    };
}
