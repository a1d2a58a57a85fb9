using System.Collections.Immutable;
using Postern.Relay.Delivery.Shaping;
using Postern.Smtp.Grammar;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Web.Api;

/// <summary>The server itself, and what it would do.</summary>
internal static class ServerRoutes
{
    private static readonly Parameter<string> OfDomain = Parameter.Text("domain", "Of a recipient");
    private static readonly Parameter<string> Tenant = Parameter.Text("tenant", "Whose mail; nothing for mail of none");

    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/status", Scopes.StatusRead, "One screen about the server.", StatusAsync) { Gives = typeof(StatusDocument) },
        new("POST", "/configuration/reload", Scopes.ServerWrite, "Reads the configuration again, and goes by it.", ReloadAsync)
        {
            Gives = typeof(ReloadReport),
        },
        new("POST", "/explain", Scopes.EventsRead, "What would be decided about a message, and why.", ExplainAsync)
        {
            IsQuestion = true,
            Takes = typeof(WhatIf),
            Gives = typeof(WhatIfAnswer),
        },
        new("GET", "/shaping", Scopes.QueueRead, "What mail to a domain is held to, and what is slowed now.", ShapingAsync)
        {
            Parameters = [OfDomain, Tenant],
            Gives = typeof(ShapingReport),
        },
    ];

    private static async ValueTask<Answer> StatusAsync(Call call)
    {
        var status = call.Server.Status();
        if (call.Server.Limits is { } limits)
        {
            var (near, over) = await limits.CountAsync(call.Aborted);
            status = status with { Limits = new StatusDocument.LimitState(near, over, limits.Lost) };
        }

        return Answer.Of(status);
    }

    // Whoever asked may go away: what has begun is done all the same.
    private static async ValueTask<Answer> ReloadAsync(Call call) => Answer.Of(await call.Server.Reload(call.By));

    private static async ValueTask<Answer> ExplainAsync(Call call) =>
        Answer.Of(await call.Server.Explain(call.Body<WhatIf>(), call.Aborted));

    private static async ValueTask<Answer> ShapingAsync(Call call) =>
        Domain.TryParse(call.Get(OfDomain), out var domain)
            ? Answer.Of(await call.Server.Shaping(domain, call.Get(Tenant), call.Aborted))
            : Answer.Wrong("?domain", $"'{call.Get(OfDomain)}' is no domain");
}
