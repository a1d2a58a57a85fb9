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

    private static readonly Parameter<string> From = Parameter.Text("from", "The envelope's sender: an address, a domain, or <>");
    private static readonly Parameter<string> To = Parameter.Text("to", "A recipient: an address or a domain");
    private static readonly Parameter<string> Domain = Parameter.Text("domain", "The domain of the sender or of a recipient");
    private static readonly Parameter<string> MessageId = Parameter.Text("messageId", "The Message-ID, with or without its brackets");
    private static readonly Parameter<string> QueueId = Parameter.Text("queueId", "The message");
    private static readonly Parameter<string> Login = Parameter.Text("login", "The user, or the identity acted as");
    private static readonly Parameter<string> Client = Parameter.Network("client", "From this address or network");
    private static readonly Parameter<string> Tenant = Parameter.Text("tenant", "Of accounts of this tenant");
    private static readonly Parameter<string> Outcome = Parameter.Text("outcome", "What it came to, in the word of the event");
    private static readonly Parameter<string> Rule = Parameter.Text("rule", "The rule that decided");
    private static readonly Parameter<string> ByRoute = Parameter.Text("route", "The route of a delivery, as it is configured");
    private static readonly Parameter<string> Category = Parameter.Text("category", "Why a delivery failed or waits");
    private static readonly Parameter<string> Ref = Parameter.Text("ref", "The reference of a decision");
    private static readonly Parameter<string> Session = Parameter.Text("session", "The session");
    private static readonly Parameter<DateTimeOffset?> Since = Parameter.Time("since", "At this time or later");
    private static readonly Parameter<DateTimeOffset?> Until = Parameter.Time("until", "Before this time");
    private static readonly Parameter<int?> Limit = Parameter.Count("limit", "Events of a page; 50 where nothing is said", MostEvents);
    private static readonly Parameter<string> After = Parameter.Text("after", "next of the page before");
    private static readonly Parameter<string> Reference = Parameter.Text("ref", "The reference of a reply, or a queue id");

    private static readonly ImmutableArray<Parameter> Filters =
        [Kind, From, To, Domain, MessageId, QueueId, Login, Client, Tenant, Outcome, Rule, ByRoute, Category, Ref, Session];

    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/events", Scopes.EventsRead, "What was written down, the newest first.", ListAsync)
        {
            IsForTenants = true,
            IsSearch = true,
            Parameters = [.. Filters, Since, Until, Limit, After],
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
        AuditCursor? after = null;
        if (call.Get(After) is { } text && !AuditCursor.TryParse(text, out after))
            return Answer.No(Problems.CursorExpired, $"'{text}' is not where a page ended.");
        if (call.Server.Logs is not { } logs)
            return Answer.No(Problems.NotFound, "No log is kept here.");
        var query = Read(call) with { Since = call.Get(Since), Until = call.Get(Until), Limit = call.Get(Limit) ?? UsualEvents };
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

    private static AuditQuery Read(Call call) => call.Narrow(new AuditQuery
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
        Sender = call.Get(From),
        Recipient = call.Get(To),
        Domain = call.Get(Domain),
        MessageId = call.Get(MessageId),
        QueueId = call.Get(QueueId),
        Login = call.Get(Login),
        Client = call.Get(Client) is { } client ? AuditQuery.NetworkOf(client) : null,
        Tenant = call.Get(Tenant),
        Outcome = call.Get(Outcome),
        Rule = call.Get(Rule),
        Route = call.Get(ByRoute),
        Category = call.Get(Category),
        Ref = call.Get(Ref),
        Session = call.Get(Session),
    });

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
