using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Postern.Relay.Accounts;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Sasl;
using Postern.Web.Access;
using Postern.Web.Parts;

namespace Postern.Web.Entrance;

/// <summary>
/// The few addresses that answer strangers: <c>/login</c>, <c>/logout</c>, <c>/setup</c>; and <c>/password</c>, which is a person's own.
/// Each takes a form and answers with a page, or JSON and answers with JSON. A person who is signed in proves it again by <c>/login</c>,
/// too: the session is a new one then.
/// </summary>
/// <param name="host">The server's name, as authenticators show it.</param>
/// <param name="renderer">Stays the caller's, like the rest.</param>
internal sealed class EntranceEndpoints(WebAccess access, IAuditLog audit, string host, PageRenderer renderer)
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types console";

    /// <summary>Where to go, of who ends all sessions.</summary>
    private const string Everywhere = "everywhere";

    /// <summary>All of them: nobody has to be signed in.</summary>
    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapMethods("/login", ["GET"], context => GuardAsync(context, ShowLoginAsync));
        endpoints.MapMethods("/login", ["POST"], context => GuardAsync(context, SignInAsync));
        endpoints.MapMethods("/logout", ["POST"], context => GuardAsync(context, SignOutAsync));
        endpoints.MapMethods("/password", ["GET"], context => GuardAsync(context, context => OwnAsync(context, ShowPasswordAsync)));
        endpoints.MapMethods("/password", ["POST"], context => GuardAsync(context, context => OwnAsync(context, ChangePasswordAsync)));
        endpoints.MapMethods("/setup", ["GET"], context => GuardAsync(context, context => ShowSetupAsync(context, said: null)));
        endpoints.MapMethods("/setup", ["POST"], context => GuardAsync(context, SetUpAsync));
    }

    /// <summary>What all have in common: headers, no other site, and words where the database does not answer.</summary>
    private static async Task GuardAsync(HttpContext context, Func<HttpContext, Task> answer)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        if (headers.ContentSecurityPolicy.Count == 0)
            headers.ContentSecurityPolicy = Policy;
        try
        {
            if (context.Request.Method == "POST" && !OwnOrigin.IsOf(context.Request))
                await RefuseAsync(context, 403, "foreign-origin", "The call comes from another site");
            else
                await answer(context);
        }
        catch (DirectoryUnavailableException)
        {
            headers.RetryAfter = "5";
            await RefuseAsync(context, 503, "unavailable", "The directory does not answer now; the server's log says why");
        }
    }

    private Task ShowLoginAsync(HttpContext context) => LoginAsync(
        context,
        StatusCodes.Status200OK,
        context.Request.Query["done"].Count > 0 ? "The password is set. Sign in with the next code of the authenticator." : null,
        EntranceInput.PathOf(context.Request.Query["next"]));

    private async Task SignInAsync(HttpContext context)
    {
        if (await EntranceInput.ReadAsync(context) is not { } input)
        {
            await RefuseAsync(context, 400, "invalid", "A form, or JSON with name, password and oneTimeCode, is expected");
            return;
        }

        var isTls = context.Request.IsHttps;
        context.Request.Cookies.TryGetValue(SessionCookie.NameOf(isTls), out var before);
        var answer = await access.SignIn.TryAsync(
            new SignInRequest(input.Name ?? string.Empty, new Secret(input.Password ?? string.Empty), input.OneTimeCode ?? string.Empty)
            {
                Cookie = before,
                Agent = WebAccess.AgentOf(context),
            },
            WebAccess.ClientOf(context),
            context.RequestAborted);
        var next = EntranceInput.PathOf(input.Next);
        switch (answer)
        {
            case SignInAnswer.Welcome({ } session):
                await audit.FlushAsync(context.RequestAborted);
                context.Response.Cookies.Append(
                    SessionCookie.NameOf(isTls), session.Cookie.Reveal(), SessionCookie.Options(isTls, session.ExpiresAt));
                if (input.IsJson)
                    await WriteAsync(context, new SignedInDocument(session.Name, session.ExpiresAt), EntranceJson.Default.SignedInDocument);
                else
                    GoTo(context, next);
                break;
            case SignInAnswer.Later(var after):
                context.Response.Headers.RetryAfter = ((int)after.TotalSeconds).ToString(CultureInfo.InvariantCulture);
                var wait = string.Create(
                    CultureInfo.InvariantCulture, $"Too many sign-ins were wrong, or come at once. Try again in {after.TotalSeconds:0} s.");
                if (input.IsJson)
                    await RefuseAsync(context, 429, "too-many", wait);
                else
                    await LoginAsync(context, StatusCodes.Status429TooManyRequests, wait, next, input.Name);
                break;
            default:
                if (input.IsJson)
                    await RefuseAsync(context, 401, "unauthenticated", SignInAnswer.NoText);
                else
                    await LoginAsync(context, StatusCodes.Status401Unauthorized, SignInAnswer.NoText, next, input.Name);
                break;
        }
    }

    private async Task SignOutAsync(HttpContext context)
    {
        var isTls = context.Request.IsHttps;
        if (context.Request.Cookies.TryGetValue(SessionCookie.NameOf(isTls), out var cookie))
        {
            var caller = await access.FindCallerAsync(context);
            if (caller.Door == AdminDoor.Console && (await EntranceInput.ReadAsync(context))?.Next == Everywhere)
            {
                access.Sessions.End(caller.Name, id: null, caller.ToOperator());
                await audit.FlushAsync(context.RequestAborted);
            }

            access.Sessions.SignOut(cookie);
        }

        context.Response.Cookies.Append(
            SessionCookie.NameOf(isTls), string.Empty, SessionCookie.Options(isTls, DateTimeOffset.UnixEpoch));
        if (context.Request.HasJsonContentType())
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        else
            GoTo(context, "/login");
    }

    /// <summary>For people who are signed in; others sign in first.</summary>
    private async Task OwnAsync(HttpContext context, Func<HttpContext, Caller, Task> answer)
    {
        var caller = await access.FindCallerAsync(context);
        if (caller.Door == AdminDoor.Console)
            await answer(context, caller);
        else if (context.Request.Method == "GET")
            GoTo(context, "/login?next=/password");
        else
            await RefuseAsync(context, 401, "unauthenticated", "This needs a session");
    }

    private Task ShowPasswordAsync(HttpContext context, Caller caller) => PasswordAsync(
        context, caller, StatusCodes.Status200OK, context.Request.Query["done"].Count > 0 ? "The password is changed." : null);

    private async Task ChangePasswordAsync(HttpContext context, Caller caller)
    {
        if (await EntranceInput.ReadAsync(context) is not { Password: { } password, NewPassword: { } wanted } input)
        {
            await RefuseAsync(context, 400, "invalid", "A form, or JSON with password, oneTimeCode and newPassword, is expected");
            return;
        }

        var isTls = context.Request.IsHttps;
        context.Request.Cookies.TryGetValue(SessionCookie.NameOf(isTls), out var before);
        var proof = new SignInRequest(caller.Name, new Secret(password), input.OneTimeCode ?? string.Empty)
        {
            Cookie = before,
            Agent = WebAccess.AgentOf(context),
        };
        var (answer, outcome) = await access.ChangePasswordAsync(
            caller, proof, new Secret(wanted), WebAccess.ClientOf(context), context.RequestAborted);
        if (answer is SignInAnswer.Welcome({ } session))
            context.Response.Cookies.Append(
                SessionCookie.NameOf(isTls), session.Cookie.Reveal(), SessionCookie.Options(isTls, session.ExpiresAt));
        if (outcome is AdminOutcome.Done)
        {
            await audit.FlushAsync(context.RequestAborted);
            if (input.IsJson)
                await WriteAsync(context, new EnrolledDocument(Ok: true, outcome.Message), EntranceJson.Default.EnrolledDocument);
            else
                GoTo(context, "/password?done=1");
            return;
        }

        var (status, said) = (answer, outcome) switch
        {
            (_, { Message: var why }) => (422, why),
            (SignInAnswer.Later(var after), _) => (429, string.Create(
                CultureInfo.InvariantCulture, $"Too many sign-ins were wrong, or come at once. Try again in {after.TotalSeconds:0} s.")),
            _ => (401, SignInAnswer.NoText),
        };
        if (input.IsJson)
            await RefuseAsync(context, status, status switch { 422 => "not-done", 429 => "too-many", _ => "unauthenticated" }, said);
        else
            await PasswordAsync(context, caller, status, said);
    }

    private Task PasswordAsync(HttpContext context, Caller caller, int status, string? said) =>
        RenderAsync<PasswordPage>(context, status, new()
        {
            [nameof(PasswordPage.Name)] = PrintableText.Of(caller.Name),
            [nameof(PasswordPage.Said)] = said is null ? null : PrintableText.Of(said),
            [nameof(PasswordPage.Sessions)] = access.Sessions.List(caller.Name).Length is var open and not 1
                ? string.Create(CultureInfo.InvariantCulture, $"{open} sessions")
                : "1 session",
        });

    /// <summary>With a code alone it shows what the code is for; with the rest it is taken.</summary>
    private async Task SetUpAsync(HttpContext context)
    {
        if (await EntranceInput.ReadAsync(context) is not { Code: { } code } input)
        {
            await RefuseAsync(context, 400, "invalid", "A form, or JSON with the code of an invitation, is expected");
            return;
        }

        var client = WebAccess.ClientOf(context);
        var operators = access.Commands(new Operator("setup", AdminDoor.Console, client.ToString())).Operators;
        if (operators.Look(code) is not { } invitation)
        {
            access.TellRefusedCode(client);
            const string bad = "The code is not good, or not any more: each counts once, and for 15 minutes.";
            if (input.IsJson)
                await RefuseAsync(context, 422, "not-done", bad);
            else
                await ShowSetupAsync(context, bad, status: 422);
            return;
        }

        string? said = null;
        if (input.Password is { } password)
        {
            var outcome = operators.Enrol(new EnrolOperator(code, input.Name, new Secret(password), input.OneTimeCode ?? string.Empty));
            if (outcome is AdminOutcome.Done)
            {
                await audit.FlushAsync(context.RequestAborted);
                if (input.IsJson)
                    await WriteAsync(context, new EnrolledDocument(Ok: true, outcome.Message), EntranceJson.Default.EnrolledDocument);
                else
                    GoTo(context, "/login?done=1");
                return;
            }

            said = outcome.Message;
            if (input.IsJson)
            {
                await RefuseAsync(context, 422, "not-done", said);
                return;
            }
        }

        var person = invitation.Operator ?? invitation.Role;
        var (secret, address) = (OneTimeCode.TextOf(invitation.Totp), OneTimeCode.AddressOf(invitation.Totp, host, person));
        if (input.IsJson)
            await WriteAsync(
                context,
                new SetupDocument(
                    invitation.Role,
                    invitation.Tenant,
                    invitation.Operator,
                    secret,
                    address,
                    DateTimeOffset.FromUnixTimeMilliseconds(invitation.ExpiresAt)),
                EntranceJson.Default.SetupDocument);
        else
            await ShowInvitationAsync(context, invitation, code, input.Name, said, secret, QrPicture.Of(address));
    }

    private async Task LoginAsync(HttpContext context, int status, string? said, string next, string? name = null) =>
        await RenderAsync<LoginPage>(context, status, new()
        {
            [nameof(LoginPage.Said)] = said,
            [nameof(LoginPage.HasOwner)] = await access.HasOwnerAsync(context.RequestAborted),
            [nameof(LoginPage.Next)] = next,
            [nameof(LoginPage.Name)] = name is null ? null : PrintableText.Of(name),
        });

    private Task ShowSetupAsync(HttpContext context, string? said, int status = StatusCodes.Status200OK) =>
        RenderAsync<SetupPage>(context, status, new()
        {
            [nameof(SetupPage.Said)] = said,
        });

    private Task ShowInvitationAsync(
        HttpContext context, Invitation invitation, string code, string? name, string? said, string secret, QrPicture picture) =>
        RenderAsync<SetupPage>(context, said is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity, new()
        {
            [nameof(SetupPage.Said)] = said is null ? null : PrintableText.Of(said),
            [nameof(SetupPage.Code)] = code,
            [nameof(SetupPage.Becomes)] = invitation.Tenant is { } tenant ? $"{invitation.Role} of {tenant}" : invitation.Role,
            [nameof(SetupPage.Operator)] = invitation.Operator,
            [nameof(SetupPage.Name)] = name is null ? null : PrintableText.Of(name),
            [nameof(SetupPage.Secret)] = secret,
            [nameof(SetupPage.Picture)] = picture.Path,
            [nameof(SetupPage.PictureSize)] = picture.Size,
        });

    private async Task RenderAsync<TPage>(HttpContext context, int status, Dictionary<string, object?> parameters)
        where TPage : IComponent
    {
        var page = await renderer.RenderAsync<TPage>(parameters);
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync(page, context.RequestAborted);
    }

    private static void GoTo(HttpContext context, string path)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = path;
    }

    private static Task RefuseAsync(HttpContext context, int status, string word, string detail)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        return JsonSerializer.SerializeAsync(
            context.Response.Body,
            new EntranceProblem($"/problems/{word}", word, status, detail),
            EntranceJson.Default.EntranceProblem,
            context.RequestAborted);
    }

    private static Task WriteAsync<T>(HttpContext context, T document, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, document, type, context.RequestAborted);
    }
}
