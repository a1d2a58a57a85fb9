using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Relay.Admin.Kept;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Web.Api;

/// <summary>What waits, and what operators do to it.</summary>
internal static class QueueRoutes
{
    /// <summary>Messages of one page.</summary>
    private const int MostItems = 500;

    private const int UsualItems = 50;

    private const int MostReason = 200;

    private const int MostDestinations = 10_000;

    private static readonly Parameter<string> One = Parameter.Text("message", "The queue id");
    private static readonly Parameter<int?> Limit = Parameter.Count("limit", "Messages of a page; 50 where nothing is said", MostItems);
    private static readonly Parameter<string> After = Parameter.Text("after", "next of the page before");
    private static readonly Parameter<int?> Most = Parameter.Count(
        "most", "Destinations that are named; 20 where nothing is said", MostDestinations);


    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/queue", Scopes.QueueRead, "Messages that wait, in order of arrival.", ListAsync)
        {
            IsForTenants = true,
            IsSearch = true,
            Parameters = [.. QueueParameters.All, Limit, After],
            Gives = typeof(QueuePage),
        },
        new("GET", "/queue/destinations", Scopes.QueueRead, "What waits, counted by the domains of recipients.", CountAsync)
        {
            IsForTenants = true,
            IsSearch = true,
            Parameters = [.. QueueParameters.All, Most],
            Gives = typeof(QueueStatistics),
        },
        new("GET", "/queue/{message}", Scopes.QueueRead, "One message that waits.", ShowAsync)
        {
            IsForTenants = true,
            Parameters = [One],
            Gives = typeof(QueueItem),
        },
        new("GET", "/queue/{message}/content", Scopes.MessagesContent, "A message as it is queued; the log has who read it.", CopyAsync)
        {
            IsForTenants = true,
            AsksProof = true,
            Parameters = [One],
        },
        new("POST", "/queue/changes", Scopes.QueueWrite, "Holds, releases, retries, removes, returns or redirects messages.", ChangeAsync)
        {
            IsForTenants = true,
            Takes = typeof(ChangeQueue),
            Gives = typeof(QueueChange),
        },
        new("POST", "/queue/suspensions", Scopes.QueueWrite, "Has mail for domains wait, or go on.", SuspendAsync)
        {
            Takes = typeof(SuspendDomains),
            Gives = typeof(SuspensionChange),
        },
        new("POST", "/messages/{message}/resend", Scopes.QueueWrite, "Sends again a message whose content is kept.", ResendAsync)
        {
            Parameters = [One],
            Takes = typeof(ResendKept),
            Gives = typeof(Resending),
        },
    ];

    private static async ValueTask<Answer> ListAsync(Call call)
    {
        var filter = QueueParameters.Read(call);
        QueueId? after = null;
        if (call.Get(After) is { } cursor)
        {
            if (!QueueId.TryParse(cursor, out var id))
                return Answer.No(Problems.CursorExpired, $"'{cursor}' is not where a page ended.");
            after = id;
        }

        return Answer.Of(await call.Server.Queue.ListAsync(filter, call.Get(Limit) ?? UsualItems, after, call.Aborted));
    }

    private static async ValueTask<Answer> CountAsync(Call call) =>
        Answer.Of(await call.Server.Queue.CountAsync(QueueParameters.Read(call), call.Get(Most) ?? 20, call.Aborted));

    private static async ValueTask<Answer> ShowAsync(Call call) =>
        Answer.OrNotFound(await FindAsync(call), $"There is no message {call.Get(One)} in the queue.");

    private static async ValueTask<Answer> CopyAsync(Call call)
    {
        if (!QueueId.TryParse(call.Get(One), out var id) || await FindAsync(call) is not { } item)
            return Answer.No(Problems.NotFound, $"There is no message {call.Get(One)} in the queue.");
        // With its length, so that what breaks off in the middle is not taken for the whole.
        return new Answer.Octets(
            item.Size, $"{item.Id}.eml", (to, ct) => call.Server.QueueChanges.CopyContentAsync(id, to, call.By, ct));
    }

    private static async ValueTask<Answer> ChangeAsync(Call call)
    {
        var asked = call.Body<ChangeQueue>();
        if (QueueCommands.WhyNot(asked.Action, asked.With) is { } wrong)
            return Answer.Wrong("/with", wrong);
        if (asked.Filter.IsEverything && !asked.Everything)
            return Answer.Wrong("/filter", "an empty filter means every message: say everything");
        if (asked.Reason is { Length: > MostReason })
            return Answer.Wrong("/reason", $"a reason has at most {MostReason} characters");
        if (!Enum.IsDefined(asked.Action))
            return Answer.Wrong("/action", "there is no such action");
        var filter = call.Narrow(asked.Filter);
        var confirmed = new BulkToken($"{asked.Action} {asked.With} {QueueParameters.Write(filter)}");
        if (asked.DryRun || !IsNamed(filter))
        {
            var matched = await call.Server.Queue.MatchAsync(filter, call.Aborted);
            var token = confirmed.Of(matched, call.Server);
            if (asked.DryRun)
                return Answer.Of(new QueueTrial(matched, token));
            if (asked.Token is null)
                return new Answer.Refused(
                    Problems.ConfirmFirst.Of($"{matched} messages are meant.") with { Matched = matched, Token = token });
            if (confirmed.CountOf(asked.Token, call.Server) is not { } shown || shown != matched)
                return new Answer.Refused(
                    Problems.CountChanged.Of($"{matched} messages are meant by now.") with { Matched = matched, Token = token });
        }

        // A caller that goes away in the middle must not leave half of a bulk change undone.
        return Answer.Of(await call.Server.QueueChanges.ApplyAsync(
            asked.Action, filter, call.By, CancellationToken.None, asked.With, asked.Reason));
    }

    private static async ValueTask<Answer> SuspendAsync(Call call)
    {
        var asked = call.Body<SuspendDomains>();
        return Answer.Of(await call.Server.Destinations.ApplyAsync(asked.Domains, asked.Suspends, call.By, CancellationToken.None));
    }

    private static async ValueTask<Answer> ResendAsync(Call call)
    {
        var asked = call.Body<ResendKept>();
        var to = ImmutableArray.CreateBuilder<Mailbox>();
        for (var i = 0; i < asked.To.Length; i++)
        {
            if (!Mailbox.TryParse(asked.To[i], out var mailbox))
                return Answer.Wrong($"/to/{i}", $"'{asked.To[i]}' is not an address");
            to.Add(mailbox);
        }

        if (call.Server.Resend is not { } resend || !QueueId.TryParse(call.Get(One), out var id))
            return Answer.No(Problems.NotFound, $"There is no message {call.Get(One)}.");
        // Once begun it is done, and told, whether or not somebody waits for the answer.
        return Answer.Of(await resend(id, to.DrainToImmutable(), asked.OnlyFailed, call.By));
    }

    /// <summary>Nothing but ids is said: the caller has them before his eyes.</summary>
    private static bool IsNamed(QueueFilter filter) =>
        !filter.Ids.IsDefaultOrEmpty && (filter with { Ids = [], Tenant = null }).IsEverything;

    /// <summary>Null where there is none that the caller sees.</summary>
    private static async ValueTask<QueueItem?> FindAsync(Call call) =>
        QueueId.TryParse(call.Get(One), out var id)
            && await call.Server.Queue.FindAsync(id, call.Aborted) is { } item
            && call.Sees(item.Tenant)
            ? item
            : null;
}
