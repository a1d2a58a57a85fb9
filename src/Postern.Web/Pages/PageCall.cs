using System.Collections.Immutable;
using Microsoft.Extensions.Primitives;
using Postern.Relay.Accounts;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>
/// One request for a page: who looks, and what stands in its address or its form. Whatever the page shows or does it asks of a route of the
/// API, as anybody else would: it can do nothing that the API cannot, and sees what its caller sees.
/// </summary>
/// <param name="api">Every route of it.</param>
/// <param name="frame">What stands around the page.</param>
/// <param name="given">Of the path, the query and the form.</param>
internal sealed class PageCall(
    ImmutableArray<Route> api,
    Caller caller,
    ServedRelay server,
    PageFrame frame,
    IReadOnlyDictionary<string, StringValues> given,
    CancellationToken aborted)
{
    public Caller Caller => caller;

    public ServedRelay Server => server;

    public PageFrame Frame => frame;

    /// <summary>Null where nothing was said, or nothing that is one value.</summary>
    public string? Get(string name) => given.TryGetValue(name, out var value) && value is [{ Length: > 0 } text] ? text : null;

    public IEnumerable<string?> All(string name) => given.TryGetValue(name, out var value) ? value : [];

    /// <summary>Asks a route of the API.</summary>
    /// <param name="parameters">Those that are null are left out.</param>
    public async ValueTask<Asked<T>> AskAsync<T>(
        string method, string template, object? body, params IEnumerable<(string Name, string? Value)> parameters)
        where T : class
    {
        var route = api.First(one => one.Method == method && one.Template == template);
        if (route.WhyNot(caller, server.Clock.GetUtcNow()) is Answer.Refused refused)
            return new Asked<T>(null, refused.Problem);
        var values = parameters.Where(static p => p.Value is not null)
            .GroupBy(static p => p.Name)
            .Select(static p => KeyValuePair.Create(p.Key, new StringValues([.. p.Select(static one => one.Value)])));
        var (call, wrong) = Call.Read(route, caller, server, values, body, aborted);
        if (call is null)
            return new Asked<T>(null, ((Answer.Refused)wrong!).Problem);
        try
        {
            return await route.AskAsync(call) switch
            {
                Answer.Document { Value: T value } => new Asked<T>(value, null),
                Answer.Refused(var problem) => new Asked<T>(null, problem),
                _ => new Asked<T>(null, Problems.Failed.Of($"{template} answered something else")),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DirectoryUnavailableException)
        {
            return new Asked<T>(null, Problems.Unavailable.Of(e.Message));
        }
    }
}

/// <summary>What a route answered: one of the two.</summary>
internal readonly record struct Asked<T>(T? Value, ProblemDocument? Problem)
    where T : class
{
    public bool IsNotFound => Problem?.Status == 404;

    /// <summary>For a part of a page.</summary>
    public Part<T> Part => Value is { } value ? value : Trouble;

    public Trouble Trouble => TroubleOf(Problem!);

    public static Trouble TroubleOf(ProblemDocument problem) => new(
        problem.Detail ?? problem.Title, problem.Todo ?? Problems.All.First(one => problem.Type == ProblemType.Path + one.Word).Meaning)
    {
        Id = problem.Instance,
        Word = problem.Status switch
        {
            400 or 422 => "not understood", 401 or 403 => "not allowed", 404 => "not there", _ => "cannot be shown",
        },
    };
}
