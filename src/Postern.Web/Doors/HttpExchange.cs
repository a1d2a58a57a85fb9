using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Postern.Relay.Accounts;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Web.Doors;

/// <summary>One request for a route: who calls, may he, what does he say, and what he is answered.</summary>
/// <param name="id">Of the call; it stands in the answer to what went wrong, and in the log.</param>
internal sealed class HttpExchange(HttpContext context, Door door, ServedRelay server, string id)
{
    /// <summary>Streams say that they live, and callers are looked at again.</summary>
    private static readonly TimeSpan Ping = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(60);

    public string Id => id;

    public async Task AnswerAsync(Route route)
    {
        try
        {
            var caller = await door.FindCallerAsync(context);
            if ((route.WhyNot(caller, server.Clock.GetUtcNow()) ?? door.WhyNot(context, route, caller)) is { } refusal)
            {
                await WriteAsync(refusal);
                return;
            }

            var (turn, tooMany) = door.Budgets is { } budgets
                ? await budgets.TakeAsync(route, caller, context.RequestAborted)
                : (null, null);
            using (turn)
                await WriteAsync(tooMany ?? await AskAsync(route, caller), route);
        }
        catch (BadHttpRequestException e)
        {
            await WriteAsync(e.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? Answer.No(Problems.TooLarge, e.Message)
                : Answer.No(Problems.Invalid, e.Message));
        }
        catch (DirectoryUnavailableException e)
        {
            await WriteAsync(new Answer.Refused(Problems.Unavailable.Of(e.Message) with { RetryAfter = 5 }));
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            // Nothing goes away without a word: the caller has the id, and the log what it was.
            server.Tell("web_call_failed", $"{id} {route.Method} {route.Template}: {e.GetType().Name}: {e.Message}");
            await WriteAsync(Answer.No(Problems.Failed, door.IsLocal ? e.Message : null));
        }
    }

    /// <summary>For what is at no route.</summary>
    public Task WriteAsync(Answer answer) => WriteAsync(answer, route: null);

    private async ValueTask<Answer> AskAsync(Route route, Caller caller)
    {
        var (body, unread) = await ReadBodyAsync(route);
        if (unread is not null)
            return unread;
        var (call, wrong) = Call.Read(route, caller, server, Given(), body, context.RequestAborted);
        return call is null ? wrong! : await route.AskAsync(call);
    }

    /// <summary>What stands in the address; what is left empty was not said.</summary>
    private IEnumerable<KeyValuePair<string, StringValues>> Given()
    {
        foreach (var (name, value) in context.Request.RouteValues)
            yield return new(name, value?.ToString());
        foreach (var (name, value) in context.Request.Query)
        {
            if (!StringValues.IsNullOrEmpty(value))
                yield return new(name, value);
        }
    }

    private async ValueTask<(object? Body, Answer? Objection)> ReadBodyAsync(Route route)
    {
        if (route.Takes is not { } type)
            return (null, null);
        if (!context.Request.HasJsonContentType())
            return (null, Answer.No(Problems.NotJson, $"Content-Type is {context.Request.ContentType ?? "missing"}."));
        try
        {
            var body = await JsonSerializer.DeserializeAsync(context.Request.Body, ApiJson.TypeOf(type), context.RequestAborted);
            return body is null ? (null, Answer.Wrong(string.Empty, "the body is null")) : (body, null);
        }
        catch (JsonException e)
        {
            return (null, Answer.Wrong(PointerOf(e.Path), WordsOf(e)));
        }
    }

    private Task WriteAsync(Answer answer, Route? route)
    {
        if (context.Response.HasStarted)
            return Task.CompletedTask;
        context.Response.Headers.CacheControl = "no-store";
        return answer switch
        {
            Answer.Document document => WriteAsync(document),
            Answer.Octets octets => WriteAsync(octets),
            Answer.Live live => WriteAsync(live, route!),
            Answer.Refused refused => WriteAsync(refused.Problem),
            _ => WriteAsync(Problems.Failed.Of(detail: null)),
        };
    }

    private async Task WriteAsync(Answer.Document document)
    {
        var response = context.Response;
        response.StatusCode = document.Status;
        response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(response.Body, document.Value, document.Type, context.RequestAborted);
        await response.Body.WriteAsync("\n"u8.ToArray(), context.RequestAborted);
    }

    private Task WriteAsync(ProblemDocument problem)
    {
        var response = context.Response;
        response.StatusCode = problem.Status;
        response.ContentType = "application/problem+json";
        if (problem.Status == StatusCodes.Status401Unauthorized)
            response.Headers.WWWAuthenticate = "Bearer realm=\"postern\"";
        if (problem.RetryAfter is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return JsonSerializer.SerializeAsync(
            response.Body, problem with { Instance = id }, ApiJson.Of<ProblemDocument>(), context.RequestAborted);
    }

    private async Task WriteAsync(Answer.Octets octets)
    {
        var response = context.Response;
        response.ContentType = "application/octet-stream";
        response.ContentLength = octets.Length;
        response.Headers.ContentDisposition = $"attachment; filename=\"{octets.FileName}\"";
        response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        response.Headers.XContentTypeOptions = "nosniff";
        if (!await octets.WriteAsync(response.Body, context.RequestAborted))
            context.Abort();
    }

    /// <summary>Ends when the caller goes away, or may not any more.</summary>
    private async Task WriteAsync(Answer.Live live, Route route)
    {
        var response = context.Response;
        response.ContentType = "text/event-stream";
        await response.WriteAsync(":\n\n", context.RequestAborted);
        await response.Body.FlushAsync(context.RequestAborted);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        await using var items = live.Items.GetAsyncEnumerator(ending.Token);
        var next = items.MoveNextAsync().AsTask();
        try
        {
            var looked = server.Clock.GetTimestamp();
            while (true)
            {
                var isPing = !await ComesAsync(next, ending.Token);
                if (server.Clock.GetElapsedTime(looked) >= LookAgain)
                {
                    if (route.WhyNot(await door.FindCallerAsync(context), server.Clock.GetUtcNow()) is not null)
                        return;
                    looked = server.Clock.GetTimestamp();
                }

                if (!isPing && !await next)
                    return;
                await response.WriteAsync(isPing ? ":\n\n" : TextOf(items.Current), ending.Token);
                await response.Body.FlushAsync(ending.Token);
                if (!isPing)
                    next = items.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            // What is asked of it has to be over before it is disposed.
            await ending.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>False when it is time to say that the stream lives.</summary>
    private async Task<bool> ComesAsync(Task next, CancellationToken ct)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var first = await Task.WhenAny(next, Task.Delay(Ping, server.Clock, waiting.Token));
        await waiting.CancelAsync();
        return first == next;
    }

    private static string TextOf(StreamItem item)
    {
        var name = item.Id is null ? null : $"id: {item.Id}\n";
        var kind = item.Kind is null ? null : $"event: {item.Kind}\n";
        return $"{name}{kind}data: {item.Json}\n\n";
    }

    /// <summary><c>$.filter.ids[0]</c> as a JSON pointer (RFC 6901).</summary>
    private static string PointerOf(string? path) =>
        path is null or "$" ? string.Empty : path.Replace("$", string.Empty, StringComparison.Ordinal)
            .Replace('.', '/').Replace("[", "/", StringComparison.Ordinal).Replace("]", string.Empty, StringComparison.Ordinal);

    /// <summary>Without the name of a type of ours, which is nobody's business.</summary>
    private static string WordsOf(JsonException e)
    {
        var words = e.Message.Split(" Path:", 2)[0];
        return words.Contains("could not be converted", StringComparison.Ordinal) ? "the value is of another kind than belongs here"
            : words.Contains("could not be mapped", StringComparison.Ordinal) ? "there is no such member here"
            : words.Contains("required", StringComparison.Ordinal) ? "a member that is needed is missing"
            : words;
    }
}
