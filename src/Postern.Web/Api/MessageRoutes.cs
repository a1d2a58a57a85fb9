using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Relay.Envelopes;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Web.Api;

/// <summary>Where mail is, and why.</summary>
internal static class MessageRoutes
{
    private const int MostMessages = 500;
    private const int UsualMessages = 50;

    private static readonly Parameter<string> One = Parameter.Text("message", "The queue id");
    private static readonly Parameter<string> From = Parameter.Text("from", "The envelope's sender: an address, a domain, or <>");
    private static readonly Parameter<string> To = Parameter.Text("to", "A recipient: an address or a domain");
    private static readonly Parameter<string> Domain = Parameter.Text("domain", "The domain of the sender or of a recipient");
    private static readonly Parameter<string> MessageId = Parameter.Text("messageId", "The Message-ID, with or without its brackets");
    private static readonly Parameter<string> Login = Parameter.Text("login", "The user, or the identity acted as");
    private static readonly Parameter<string> Client = Parameter.Network("client", "From this address or network");
    private static readonly Parameter<string> Tenant = Parameter.Text("tenant", "Of accounts of this tenant");
    private static readonly Parameter<string> Rule = Parameter.Text("rule", "The rule that decided");
    private static readonly Parameter<string> ByRoute = Parameter.Text("route", "The route of a delivery, as it is configured");
    private static readonly Parameter<string> Category = Parameter.Text("category", "Why a delivery failed or waits");
    private static readonly Parameter<string> Ref = Parameter.Text("ref", "The reference of a decision");
    private static readonly Parameter<DateTimeOffset?> Since = Parameter.Time("since", "At this time or later");
    private static readonly Parameter<DateTimeOffset?> Until = Parameter.Time("until", "Before this time");
    private static readonly Parameter<int?> Limit = Parameter.Count("limit", "Messages of a page; 50 where nothing is said", MostMessages);
    private static readonly Parameter<string> After = Parameter.Text("after", "next of the page before");

    private static readonly Parameter<string> Outcome = Parameter.Word(
        "outcome", "Only those; nothing means messages that were accepted, and refusals", "accepted", "refused", "failed", "deferred");

    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/messages", Scopes.MessagesRead, "Messages and refusals, the newest first, and how each stands.", ListAsync)
        {
            IsForTenants = true,
            IsSearch = true,
            Parameters =
            [
                From, To, Domain, MessageId, Login, Client, Tenant, Outcome, Rule, ByRoute, Category, Ref, Since, Until, Limit, After,
            ],
            Gives = typeof(MessageList),
        },
        new("GET", "/messages/{message}", Scopes.MessagesRead, "All that is known of one message.", ShowAsync)
        {
            IsForTenants = true,
            IsSearch = true,
            Parameters = [One],
            Gives = typeof(MessageDocument),
        },
        new("GET", "/messages/{message}/events", Scopes.MessagesRead, "What was written down of one message, newest first.", EventsAsync)
        {
            IsForTenants = true,
            IsSearch = true,
            Parameters = [One],
            Gives = typeof(EventPage),
        },
        new("GET", "/messages/{message}/headers", Scopes.MessagesContent, "The header of what waits; each look is noted.", HeadersAsync)
        {
            IsForTenants = true,
            AsksProof = true,
            Parameters = [One],
            Gives = typeof(HeaderDocument),
        },
    ];

    /// <summary>A time as documents have it.</summary>
    public static string Absolute(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static async ValueTask<Answer> ListAsync(Call call)
    {
        AuditCursor? after = null;
        if (call.Get(After) is { } text && !AuditCursor.TryParse(text, out after))
            return Answer.No(Problems.CursorExpired, $"'{text}' is not where a page ended.");
        if (call.Server.Logs is not { } logs)
            return Answer.No(Problems.NotFound, "No log is kept here.");
        return Answer.Of(await new MessageSearch(new AuditSearch(logs), call.Server.Queue, call.Server.Clock)
            .PageAsync(Read(call), after, call.Aborted));
    }

    private static async ValueTask<Answer> ShowAsync(Call call) =>
        Answer.OrNotFound(await FindAsync(call), $"Nothing is known of a message {call.Get(One)}.");

    private static async ValueTask<Answer> EventsAsync(Call call) => await FindAsync(call) is { } message
        ? Answer.Of(new EventPage([.. message.Events.Reverse()], Next: null, SearchedBackTo: null))
        : Answer.No(Problems.NotFound, $"Nothing is known of a message {call.Get(One)}.");

    private static async ValueTask<Answer> HeadersAsync(Call call)
    {
        if (QueueId.TryParse(call.Get(One), out var id)
            && await call.Server.Queue.FindAsync(id, call.Aborted) is { } item
            && call.Sees(item.Tenant)
            && await call.Server.QueueChanges.ReadBeginningAsync(id, HeaderLine.MostOctets, call.By, call.Aborted) is { } beginning)
            return Answer.Of(new HeaderDocument(HeaderLine.Read(beginning, hasTrace: item.Listener is not null)));
        return Answer.No(Problems.NotFound, $"There is no message {call.Get(One)} in the queue.");
    }

    private static async ValueTask<MessageDocument?> FindAsync(Call call) =>
        call.Server.Logs is { } logs && QueueId.TryParse(call.Get(One), out var id)
            ? await new MessageLookup(new AuditSearch(logs), call.Server.Queue)
                .FindAsync(id, call.Caller.Tenant, Absolute, call.Aborted)
            : null;

    private static AuditQuery Read(Call call)
    {
        var outcome = call.Get(Outcome);
        return call.Narrow(new AuditQuery
        {
            Kinds = outcome is "failed" or "deferred" or "accepted" ? AuditKind.Mail : AuditKind.Mail | AuditKind.Policy,
            AnyOutcome = outcome switch
            {
                null => MessageSearch.Beginnings,
                "refused" => ["refused", "refuse"],
                _ => [outcome],
            },
            Sender = call.Get(From),
            Recipient = call.Get(To),
            Domain = call.Get(Domain),
            MessageId = call.Get(MessageId),
            Login = call.Get(Login),
            Client = call.Get(Client) is { } client ? AuditQuery.NetworkOf(client) : null,
            Tenant = call.Get(Tenant),
            Rule = call.Get(Rule),
            Route = call.Get(ByRoute),
            Category = call.Get(Category),
            Ref = call.Get(Ref),
            Since = call.Get(Since),
            Until = call.Get(Until),
            Limit = call.Get(Limit) ?? UsualMessages,
        });
    }
}
