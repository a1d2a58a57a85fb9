using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Postern.Hosting.Live;
using Postern.Relay.Admin;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Admin.Limits;
using Postern.Relay.Admin.Senders;
using Postern.Relay.Audit.Events;
using Postern.Relay.Delivery.Shaping;
using Postern.Relay.Envelopes;
using Postern.Relay.Policy.Limits;
using Postern.Relay.Policy.Suspending;
using Postern.Smtp.Grammar;

namespace Postern.Hosting.Control;

/// <summary>
/// Answers on the control socket: <c>GET /status</c>, <c>POST /reload</c>, <c>GET /queue/ID</c>, <c>GET /queue/ID/content</c>,
/// <c>POST /queue/list</c>, <c>POST /queue/change</c>, <c>POST /queue/count</c>, <c>POST /queue/suspend</c>, <c>POST /queue/resend</c>,
/// <c>POST /session/list</c>, <c>POST /session/end</c>, <c>POST /session/review</c>,
/// <c>GET /auth/blocks</c>, <c>POST /auth/blocks</c>, <c>POST /auth/lift</c>, <c>POST /auth/stores</c>,
/// <c>POST /limits/list</c>, <c>POST /limits/raise</c>, <c>POST /limits/undo</c>,
/// <c>POST /logins/list</c>, <c>POST /logins/forgive</c>,
/// <c>GET /suspended</c>, <c>POST /suspend</c>, <c>POST /resume</c>,
/// <c>POST /explain</c>, <c>POST /shaping</c>.
/// </summary>
/// <param name="logins">Null where logins are not counted.</param>
internal sealed class ControlApplication(
    QueueQueries queries,
    QueueCommands commands,
    SuspensionCommands suspensions,
    Func<StatusDocument> status,
    Func<Operator, Task<ReloadReport>> reload,
    Func<WhatIf, CancellationToken, Task<WhatIfAnswer>> explain,
    Func<Domain, string?, CancellationToken, Task<ShapingReport>> shaping,
    SessionCommands sessions,
    LoginCommands? logins = null)
    : IHttpApplication<HttpContext>
{
    /// <summary>Sends again what is kept; null where nothing can be.</summary>
    public Func<QueueId, ImmutableArray<Mailbox>, bool, Operator, ValueTask<Resending>>? Resend { private get; init; }

    /// <summary>Null where nothing is limited.</summary>
    public LimitCommands? Limits { private get; init; }

    /// <summary>Who sends unlike himself; null where nobody is watched.</summary>
    public WatchCommands? Watch { private get; init; }

    /// <summary>Who sends nothing for a while; null where nobody can be suspended.</summary>
    public SuspendCommands? Suspensions { private get; init; }

    /// <summary>What the stores of a listener, or all of them, say of a user; null where there are none.</summary>
    public Func<string, string?, CancellationToken, ValueTask<ImmutableArray<StoreWordDocument>>>? AskStores { private get; init; }

    private const int MaxPage = 10_000;
    private const string QueuePrefix = "/queue/";

    public const string ContentSuffix = "/content";

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? string.Empty;
        try
        {
            await ((context.Request.Method, path) switch
            {
                ("GET", "/status") => AnswerAsync(context, await StatusAsync(context.RequestAborted), ControlJson.Default.StatusDocument),
                // Whoever asked may go away: what has begun is done all the same.
                ("POST", "/reload") => AnswerAsync(context, await reload(By(context)), ControlJson.Default.ReloadReport),
                ("POST", "/queue/list") => ListAsync(context),
                ("POST", "/queue/change") => ChangeAsync(context),
                ("POST", "/queue/count") => CountAsync(context),
                ("POST", "/queue/suspend") => SuspendAsync(context),
                ("POST", "/queue/resend") => ResendAsync(context),
                ("POST", "/session/list") =>
                    AnswerAsync(
                        context,
                        sessions.List(await ReadAsync(context, ControlJson.Default.SessionFilter)),
                        ControlJson.Default.ImmutableArraySessionItem),
                ("POST", "/session/end") =>
                    AnswerAsync(
                        context,
                        sessions.End(await ReadAsync(context, ControlJson.Default.SessionFilter), By(context)),
                        ControlJson.Default.SessionChange),
                ("POST", "/session/review") =>
                    AnswerAsync(context, await sessions.ReviewAsync(context.RequestAborted), ControlJson.Default.LoginsReviewed),
                ("GET", "/auth/blocks") => AnswerAsync(context, logins?.Blocks() ?? [], ControlJson.Default.ImmutableArrayLoginBlock),
                ("POST", "/auth/blocks") =>
                    AnswerAsync(
                        context,
                        logins?.Blocks((await ReadAsync(context, ControlJson.Default.LoginTarget)).Target) ?? [],
                        ControlJson.Default.ImmutableArrayLoginBlock),
                ("POST", "/auth/lift") => LiftAsync(context),
                ("POST", "/auth/stores") => AskStoresAsync(context),
                ("POST", "/limits/list") =>
                    AnswerAsync(
                        context,
                        Limits is null
                            ? []
                            : await Limits.ListAsync(
                                (await ReadAsync(context, ControlJson.Default.NamedLimits)).Name, context.RequestAborted),
                        ControlJson.Default.ImmutableArrayLimitUse),
                ("POST", "/limits/raise") => RaiseAsync(context),
                ("POST", "/limits/undo") => UndoAsync(context),
                ("POST", "/logins/list") =>
                    AnswerAsync(
                        context,
                        Watch?.List((await ReadAsync(context, ControlJson.Default.WatchedLogins)).All) ?? [],
                        ControlJson.Default.ImmutableArrayWatchState),
                ("POST", "/logins/forgive") => ForgiveAsync(context),
                ("GET", "/suspended") =>
                    AnswerAsync(context, Suspensions?.List() ?? [], ControlJson.Default.ImmutableArraySuspension),
                ("POST", "/suspend") => SuspendSenderAsync(context),
                ("POST", "/resume") => ResumeSenderAsync(context),
                ("POST", "/explain") =>
                    AnswerAsync(
                        context,
                        await explain(await ReadAsync(context, ControlJson.Default.WhatIf), context.RequestAborted),
                        ControlJson.Default.WhatIfAnswer),
                ("POST", "/shaping") => ExplainShapingAsync(context),
                ("GET", _) when path.StartsWith(QueuePrefix, StringComparison.Ordinal)
                    && path.EndsWith(ContentSuffix, StringComparison.Ordinal) =>
                    CopyAsync(context, path[QueuePrefix.Length..^ContentSuffix.Length]),
                ("GET", _) when path.StartsWith(QueuePrefix, StringComparison.Ordinal) => ShowAsync(context, path[QueuePrefix.Length..]),
                _ => RefuseAsync(context, StatusCodes.Status404NotFound, "there is nothing here"),
            });
        }
        catch (JsonException e)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, e.Message);
        }
        catch (BadHttpRequestException e)
        {
            await RefuseAsync(context, e.StatusCode, e.Message);
        }
        catch (IOException e) when (!context.RequestAborted.IsCancellationRequested)
        {
            await RefuseAsync(context, StatusCodes.Status500InternalServerError, e.Message);
        }
    }

    private async ValueTask<StatusDocument> StatusAsync(CancellationToken ct)
    {
        if (Limits is null)
            return status();
        var (near, over) = await Limits.CountAsync(ct);
        return status() with { Limits = new StatusDocument.LimitState(near, over, Limits.Lost) };
    }

    private async Task ListAsync(HttpContext context)
    {
        var request = await ReadAsync(context, ControlJson.Default.ListQueue);
        var after = QueueId.TryParse(request.After, out var id) ? id : (QueueId?)null;
        await AnswerAsync(
            context,
            await queries.ListAsync(request.Filter, Math.Clamp(request.Limit, 0, MaxPage), after, context.RequestAborted),
            ControlJson.Default.QueuePage);
    }

    private async Task ShowAsync(HttpContext context, string text) => await (QueueId.TryParse(text, out var id)
        && await queries.FindAsync(id, context.RequestAborted) is { } item
        ? AnswerAsync(context, item, ControlJson.Default.QueueItem)
        : RefuseAsync(context, StatusCodes.Status404NotFound, "no such message"));

    private async Task CopyAsync(HttpContext context, string text)
    {
        if (!QueueId.TryParse(text, out var id) || await queries.FindAsync(id, context.RequestAborted) is not { } item)
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, "no such message");
            return;
        }

        // With its length, so that what breaks off in the middle is not taken for the whole.
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = item.Size;
        if (!await commands.CopyContentAsync(id, context.Response.Body, By(context), context.RequestAborted))
            context.Abort();
    }

    private async Task ChangeAsync(HttpContext context)
    {
        var request = await ReadAsync(context, ControlJson.Default.ChangeQueue);
        var by = By(context);
        if (QueueCommands.WhyNot(request.Action, request.With) is { } wrong)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, wrong);
            return;
        }

        // A caller that goes away in the middle must not leave half of a bulk change undone.
        await AnswerAsync(
            context,
            await commands.ApplyAsync(request.Action, request.Filter, by, CancellationToken.None, request.With),
            ControlJson.Default.QueueChange);
    }

    private async Task CountAsync(HttpContext context)
    {
        var request = await ReadAsync(context, ControlJson.Default.CountQueue);
        await AnswerAsync(
            context,
            await queries.CountAsync(request.Filter, Math.Clamp(request.Most, 0, MaxPage), context.RequestAborted),
            ControlJson.Default.QueueStatistics);
    }

    private async Task SuspendAsync(HttpContext context)
    {
        var request = await ReadAsync(context, ControlJson.Default.SuspendDomains);
        await AnswerAsync(
            context,
            await suspensions.ApplyAsync(request.Domains, request.Suspends, By(context), CancellationToken.None),
            ControlJson.Default.SuspensionChange);
    }

    private async Task ResendAsync(HttpContext context)
    {
        var request = await ReadAsync(context, ControlJson.Default.ResendKept);
        var to = ImmutableArray.CreateBuilder<Mailbox>();
        foreach (var address in request.To)
        {
            if (Mailbox.TryParse(address, out var mailbox))
                to.Add(mailbox);
        }

        if (Resend is null || !QueueId.TryParse(request.Id, out var id) || to.Count < request.To.Length)
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "a queue id and addresses belong here");
        else
            // Once begun it is done, and told, whether or not somebody waits for the answer.
            await AnswerAsync(
                context, await Resend(id, to.DrainToImmutable(), request.OnlyFailed, By(context)), ControlJson.Default.Resending);
    }

    private async Task LiftAsync(HttpContext context)
    {
        var request = await ReadAsync(context, ControlJson.Default.LoginTarget);
        await AnswerAsync(context, new ControlRequests.Lifted(logins?.Lift(request.Target, By(context)) ?? 0), ControlJson.Default.Lifted);
    }

    private async Task RaiseAsync(HttpContext context)
    {
        var raise = await ReadAsync(context, ControlJson.Default.RaiseLimit);
        if (Limits is null || raise is not { Count: > 0, Window: >= 0 and <= 31 * 86_400, Lasts: > 0 and <= 31 * 86_400 })
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "a count, and times of at most 31 days belong here");
        else
            await AnswerAsync(
                context,
                await Limits.RaiseAsync(
                    raise.Name,
                    raise.Of,
                    raise.What,
                    new WindowLimit(raise.Count, TimeSpan.FromSeconds(raise.Window)),
                    TimeSpan.FromSeconds(raise.Lasts),
                    By(context),
                    CancellationToken.None),
                ControlJson.Default.LimitChange);
    }

    private async Task UndoAsync(HttpContext context)
    {
        var undo = await ReadAsync(context, ControlJson.Default.UndoLimit);
        if (Limits is null)
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "nothing is limited here");
        else
            await AnswerAsync(
                context,
                await Limits.UndoAsync(undo.Name, undo.Of, undo.What, By(context), CancellationToken.None),
                ControlJson.Default.LimitChange);
    }

    private async Task ForgiveAsync(HttpContext context)
    {
        var whom = await ReadAsync(context, ControlJson.Default.LoginTarget);
        await AnswerAsync(
            context,
            Watch is null ? new ForgivenLogins([]) : await Watch.ForgiveAsync(whom.Target, By(context), CancellationToken.None),
            ControlJson.Default.ForgivenLogins);
    }

    private async Task SuspendSenderAsync(HttpContext context)
    {
        var whom = await ReadAsync(context, ControlJson.Default.SuspendSender);
        if (Suspensions is null || whom.Lasts <= 0 || whom.Lasts > Suspension.Longest.TotalSeconds)
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "a time of at most 366 days belongs here");
        else
            await AnswerAsync(
                context,
                await Suspensions.SuspendAsync(
                    whom.Of, whom.Name, whom.Reason, TimeSpan.FromSeconds(whom.Lasts), By(context), CancellationToken.None),
                ControlJson.Default.SenderSuspension);
    }

    private async Task ResumeSenderAsync(HttpContext context)
    {
        var whom = await ReadAsync(context, ControlJson.Default.ResumeSender);
        if (Suspensions is null)
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "nobody is suspended here");
        else
            await AnswerAsync(
                context,
                await Suspensions.ResumeAsync(whom.Of, whom.Name, By(context), CancellationToken.None),
                ControlJson.Default.SenderSuspension);
    }

    private async Task AskStoresAsync(HttpContext context)
    {
        var question = await ReadAsync(context, ControlJson.Default.StoreQuestion);
        await AnswerAsync(
            context,
            AskStores is null ? [] : await AskStores(question.User, question.Listener, context.RequestAborted),
            ControlJson.Default.ImmutableArrayStoreWordDocument);
    }

    private async Task ExplainShapingAsync(HttpContext context)
    {
        var question = await ReadAsync(context, ControlJson.Default.ShapingQuestion);
        await (Domain.TryParse(question.Domain, out var domain)
            ? AnswerAsync(
                context, await shaping(domain, question.Tenant, context.RequestAborted), ControlJson.Default.ShapingReport)
            : RefuseAsync(context, StatusCodes.Status400BadRequest, $"'{question.Domain}' is no domain"));
    }

    private static Operator By(HttpContext context) => new(PeerUser.Of(context), AdminDoor.Socket);

    private static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type) =>
        await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted)
        ?? throw new JsonException("the body is null");

    private static Task AnswerAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, value, type, context.RequestAborted);
    }

    private static Task RefuseAsync(HttpContext context, int code, string error)
    {
        if (context.Response.HasStarted)
            return Task.CompletedTask;
        context.Response.StatusCode = code;
        return AnswerAsync(context, new ControlRequests.Refusal(error), ControlJson.Default.Refusal);
    }
}
