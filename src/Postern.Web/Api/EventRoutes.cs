using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Policy.Explaining;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Web.Api;

/// <summary>What was written down, and what is being written.</summary>
internal static class EventRoutes
{
    /// <summary>How long a search looks before it answers with what it has.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private const int MostEvents = 500;
    private const int UsualEvents = 50;

    private static readonly Parameter<string> Kind = Parameter.Word(
        "kind", "What they are about", "auth", "mail", "policy", "admin", "server");

    private static readonly Parameter<string> Outcome = Parameter.Text("outcome", "What it came to, in the word of the event");
    private static readonly Parameter<int?> Limit = Parameter.Count("limit", "Events of a page; 50 where nothing is said", MostEvents);
    private static readonly Parameter<string> Reference = Parameter.Text("ref", "The reference of a reply, or a queue id");

    private static readonly ImmutableArray<Parameter> Filters = [Kind, Outcome, .. SearchParameters.Filters];

    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/events", Scopes.EventsRead, "What was written down, the newest first.", ListAsync)
        {
            IsForTenants = true,
            IsSearch = true,
            Parameters = [.. Filters, SearchParameters.Since, SearchParameters.Until, Limit, SearchParameters.After],
            Gives = typeof(EventPage),
        },
        new("GET", "/events/stream", Scopes.EventsRead, "Events as they happen, as server-sent events.", StreamAsync)
        {
            IsForTenants = true,
            Parameters = Filters,
        },
        new("GET", "/decisions/{ref}", Scopes.EventsRead, "Why something was permitted or refused.", DecisionAsync)
        {
            IsForTenants = true,
            IsSearch = true,
            Parameters = [Reference],
            Gives = typeof(DecisionDocument),
        },
    ];

    private static async ValueTask<Answer> ListAsync(Call call)
    {
        if (!SearchParameters.TryReadAfter(call, out var after, out var objection))
            return objection!;
        if (call.Server.Logs is not { } logs)
            return Answer.No(Problems.NotFound, "No log is kept here.");
        var query = Read(call) with { Limit = call.Get(Limit) ?? UsualEvents };
        return Answer.Of(EventPage.Of(
            await new AuditSearch(logs).PageAsync(query, after, Patience, call.Server.Clock, call.Aborted)));
    }

    private static ValueTask<Answer> StreamAsync(Call call) => new(new Answer.Live(FollowAsync(call, call.Aborted)));

    private static async ValueTask<Answer> DecisionAsync(Call call)
    {
        if (call.Server.Logs is not { } logs)
            return Answer.No(Problems.NotFound, "No log is kept here.");
        var asked = call.Get(Reference)!;
        return await new Explainer(new AuditSearch(logs)).ExplainAsync(asked, call.Aborted) switch
        {
            Explanation.OfReference(var decisions, var coalesced) when Seen(call, decisions) is { IsEmpty: false } own =>
                Answer.Of(new DecisionDocument(own, call.Caller.Tenant is null ? coalesced : [])),
            Explanation.OfMessage({ } accepted, var decisions, _) when call.Sees(accepted.Tenant) =>
                Answer.Of(new DecisionDocument(Seen(call, decisions), [])),
            Explanation.Malformed => Answer.No(
                Problems.NotFound,
                $"'{asked}' is neither a reference nor a queue id.",
                "A reference is the word behind ref in a reply: K7M3Q9."),
            _ => Answer.No(
                Problems.NotFound, $"Nothing is written down of {asked}.", "Decisions are kept as long as the log of their day."),
        };
    }

    private static ImmutableArray<DecisionEvent> Seen(Call call, ImmutableArray<DecisionEvent> decisions) =>
        [.. decisions.Where(one => call.Sees(one.Tenant))];

    private static AuditQuery Read(Call call) => SearchParameters.Read(call) with
    {
        Kinds = call.Get(Kind) switch
        {
            "auth" => AuditKind.Auth,
            "mail" => AuditKind.Mail,
            "policy" => AuditKind.Policy,
            "admin" => AuditKind.Admin,
            "server" => AuditKind.Server,
            _ => AuditKind.All,
        },
        Outcome = call.Get(Outcome),
    };

    private static async IAsyncEnumerable<StreamItem> FollowAsync(Call call, [EnumeratorCancellation] CancellationToken ct)
    {
        using var subscription = call.Server.Live.Subscribe(Read(call));
        await foreach (var live in subscription.ReadAsync(ct))
        {
            yield return live switch
            {
                LiveEvent.Happened(var audit) => new StreamItem(audit.Id, Kind: null, EventPage.Line(audit)),
                LiveEvent.Lagged(var missed) => new StreamItem(
                    Id: null, "lagged", JsonSerializer.Serialize(new Lagged(missed), ApiJson.Of<Lagged>())),
                _ => default,
            };
        }
    }
}
