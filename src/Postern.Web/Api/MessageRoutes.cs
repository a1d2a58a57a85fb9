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
    private static readonly Parameter<int?> Limit = Parameter.Count("limit", "Messages of a page; 50 where nothing is said", MostMessages);

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
                Outcome, .. SearchParameters.Filters, SearchParameters.Since, SearchParameters.Until, Limit, SearchParameters.After,
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
        if (!SearchParameters.TryReadAfter(call, out var after, out var objection))
            return objection!;
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
        return SearchParameters.Read(call) with
        {
            Kinds = outcome is "failed" or "deferred" or "accepted" ? AuditKind.Mail : AuditKind.Mail | AuditKind.Policy,
            AnyOutcome = outcome switch
            {
                null => MessageSearch.Beginnings,
                "refused" => ["refused", "refuse"],
                _ => [outcome],
            },
            Limit = call.Get(Limit) ?? UsualMessages,
        };
    }
}
