using System.Net;
using System.Text.Json;
using Postern.Relay.Admin;

namespace Postern.Relay.Tests.Admin;

/// <summary>
/// One resource of an HTTP interface, without the HTTP: what a project of its own would map below <c>/accounts</c>. All it does is to read
/// the request into a record and to give each outcome its status; who may ask, and how it is served, is that project's.
/// </summary>
internal sealed class ExampleAccountsResource(DirectoryCommands commands, DirectoryQueries queries)
{
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    /// <summary>Answers <c>GET /accounts</c>, and <c>GET</c>, <c>PUT</c>, <c>PATCH</c>, <c>DELETE</c> of <c>/accounts/NAME</c>.</summary>
    public (HttpStatusCode Status, string Body) Answer(string method, string? name, string body = "{}") => (method, name) switch
    {
        ("GET", null) => (HttpStatusCode.OK, Json(queries.Accounts())),
        ("GET", { } one) => queries.Account(one) is { } account ? (HttpStatusCode.OK, Json(account)) : Said(queries.NoSuchAccount(one)),
        ("PUT", { } one) => Read(body) is { } wanted
            ? Said(commands.Accounts.Add(new AddAccount(one, [.. wanted.Addresses ?? []], [.. wanted.Domains ?? []])), HttpStatusCode.Created)
            : Unreadable,
        ("PATCH", { } one) => Read(body) is { Enabled: { } enabled }
            ? Said(enabled ? commands.Accounts.Enable(one) : commands.Accounts.Disable(one))
            : Unreadable,
        ("DELETE", { } one) => Said(commands.Accounts.Remove(one)),
        _ => (HttpStatusCode.MethodNotAllowed, string.Empty),
    };

    private static (HttpStatusCode, string) Unreadable => (HttpStatusCode.BadRequest, Json(new { message = "the body is no account" }));

    /// <summary>The one place where outcomes meet statuses; the message is the sentence that the command line prints.</summary>
    private static (HttpStatusCode, string) Said(AdminOutcome outcome, HttpStatusCode done = HttpStatusCode.OK) => (
        outcome switch
        {
            AdminOutcome.Done or AdminOutcome.Issued => done,
            AdminOutcome.NotFound => HttpStatusCode.NotFound,
            AdminOutcome.AlreadyThere => HttpStatusCode.Conflict,
            AdminOutcome.Invalid => HttpStatusCode.UnprocessableEntity,
            _ => HttpStatusCode.InternalServerError,
        },
        Json(new { outcome.Message }));

    private static Wanted? Read(string body)
    {
        try
        {
            return JsonSerializer.Deserialize<Wanted>(body, Web);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value, Web);

    private sealed record Wanted(string[]? Addresses, string[]? Domains, bool? Enabled);
}
