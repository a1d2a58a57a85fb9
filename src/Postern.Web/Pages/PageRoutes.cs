using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Admin;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Web.Access;
using Postern.Web.Api;
using Postern.Web.Documents;
using Postern.Web.Parts;
using Postern.Web.Traffic;

namespace Postern.Web.Pages;

/// <summary>
/// Every page of the console. Kept by hand: a new page is a component, what makes it of documents, and one line here. Whatever a page shows
/// or does it asks of the API (<see cref="PageCall.AskAsync"/>).
/// </summary>
/// <param name="api">Every route of it.</param>
/// <param name="counts">What the bars show; null where nothing is counted.</param>
internal sealed class PageRoutes(ImmutableArray<Calls.Route> api, PageRenderer renderer, MinuteCounts? counts)
{
    /// <summary>Every route of the API.</summary>
    public ImmutableArray<Calls.Route> Api => api;

    public ImmutableArray<PageRoute> All =>
    [
        new("GET", "/", Scopes.StatusRead, OverviewAsync) { Names = ["window", "live"] },
        new("GET", MessagesQuery.Path, Scopes.MessagesRead, MessagesAsync) { IsForTenants = true, Names = MessagesQuery.Names },
        new("GET", "/messages/{id}", Scopes.MessagesRead, MessageAsync) { IsForTenants = true, Names = ["tab", "ask", "live"] },
        new("GET", QueueQuery.Path, Scopes.QueueRead, QueueAsync) { IsForTenants = true, Names = QueueQuery.Names },
        new("POST", QueueAsk.Action, Scopes.QueueWrite, ChangeAsync) { IsForTenants = true },
        new("GET", ExplainView.Path, Scopes.EventsRead, ExplainAsync) { IsForTenants = true, Names = ExplainView.Names },
        new("POST", "/preferences", Scopes.None, PreferAsync) { IsForTenants = true },
    ];

    /// <summary>A page that says that there is none, or why it is not shown.</summary>
    public async ValueTask<PageAnswer> FailAsync(PageFrame frame, string title, Trouble trouble, int status) => new PageAnswer.Html(
        await renderer.RenderAsync<Failure>(new() { ["Frame"] = frame, ["Title"] = title, ["Trouble"] = trouble }), status);

    private async ValueTask<PageAnswer> OverviewAsync(PageCall call)
    {
        var window = TrafficView.Windows.FirstOrDefault(one => one.Word == call.Get("window")) is { Word: not null } known
            ? known
            : TrafficView.Windows[0];
        var status = await call.AskAsync<StatusDocument>("GET", "/status", body: null);
        var queue = await call.AskAsync<QueueStatistics>("GET", "/queue/destinations", body: null, ("most", "20"));
        var now = call.Frame.Now;
        var view = new OverviewView
        {
            Problems = status.Value is { } known1 ? OpenProblems.Of(known1, queue.Value, now) : status.Trouble,
            Traffic = counts is null
                ? new Trouble("nothing is counted here", "Counting begins with the next start of the server.")
                : TrafficView.Of(counts, window.Word, window.Span, now),
            Queue = queue.Part,
            Logins = status.Value is { } s
                ? new LoginFigures(s.SinceStart.Logins, s.SinceStart.FailedLogins, s.StartedAt, Paused: null)
                : status.Trouble,
            Certificates = status.Value is null
                ? status.Trouble
                : (Part<ImmutableArray<CertificateFigures>>)(status.Value.Certificate is { } certificate
                    ? [new CertificateFigures(certificate.Subject, certificate.Expires, certificate.IsSelfSigned)]
                    : ImmutableArray<CertificateFigures>.Empty),
            Load = status.Value is { } known2 ? LoadOf(known2) : status.Trouble,
            IsNew = status.Value is { SinceStart.Accepted: 0 } && queue.Value is { Messages: 0 } && !AnyLog(call),
        };
        return await ShowAsync<Overview>(
            call.Frame with { Refreshes = true, Live = LiveOf(call, "mail") }, ("View", view), ("Window", window.Word));
    }

    private async ValueTask<PageAnswer> MessagesAsync(PageCall call)
    {
        var query = MessagesQuery.Read(call.Get);
        var frame = call.Frame with { Search = query.Q ?? string.Empty };
        if (query.Q is null)
            return await ShowAsync<Messages>(frame, ("View", new MessagesView(query, await FindAsync(call, query, reading: null))));
        var readings = SearchText.Read(query.Q);
        if (readings.IsEmpty)
            return await ShowAsync<Messages>(frame, ("View", new MessagesView(
                query, new Trouble("there is nothing in it to search for", "Paste an address, a Message-ID, a queue id or a reference."))));
        if (readings is [{ Kind: SearchReading.QueueId } id])
            return new PageAnswer.Elsewhere(PageUrl.OfMessage(id.Value));
        MessagesView? first = null;
        foreach (var reading in readings)
        {
            var view = new MessagesView(query, await FindAsync(call, query, reading))
            {
                Reading = reading, OtherReadings = [.. readings.Where(one => one != reading && one.Parameter is not null)],
            };
            first ??= view;
            if (view.Found is not Part<MessageList>.Known({ Items.IsEmpty: false } found))
                continue;
            return Only(found, reading) is { } url
                ? new PageAnswer.Elsewhere(url)
                : await ShowAsync<Messages>(frame, ("View", view));
        }

        return await ShowAsync<Messages>(frame, ("View", first!));
    }

    private async ValueTask<PageAnswer> MessageAsync(PageCall call)
    {
        var id = call.Get("id") ?? string.Empty;
        var asked = await call.AskAsync<MessageDocument>("GET", "/messages/{message}", body: null, ("message", id));
        var frame = call.Frame with { Refreshes = true, Live = LiveOf(call, "mail", ("queueId", id)) };
        if (asked.Value is not { } document)
            return asked.IsNotFound
                ? await ShowAsync<Message>(call.Frame, 404, ("Id", id), ("View", (Part<MessageView?>)(MessageView?)null))
                : await ShowAsync<Message>(call.Frame, ("Id", id), ("View", (Part<MessageView?>)asked.Trouble));
        // The same sentence, with times as people say them.
        var sentence = MessageSummary.Of(
            document.Recipients, document.Accepted?.MoreRecipients ?? 0, document.Queue, at => TimeWords.Relative(at, frame.Now));
        var view = MessageStory.Of(document) with
        {
            Sentence = sentence,
            Tab = MessageView.TabWords.FirstOrDefault(word => word == call.Get("tab")) ?? MessageView.Timeline,
            MayChange = call.Caller.May(Scopes.QueueWrite),
        };
        if (view.Tab == MessageView.HeadersTab)
        {
            var header = await call.AskAsync<HeaderDocument>("GET", "/messages/{message}/headers", body: null, ("message", document.Id));
            view = view with
            {
                Headers = header.Value?.Items,
                HeadersWhyNot = header.IsNotFound ? "It is not in the queue any more." : header.Problem?.Detail,
            };
        }

        if (view is { MayChange: true, Queue: not null } && QueueAsk.Find(call.Get("ask")) is { } action)
            view = view with
            {
                Ask = QueueAsk.Of(
                    action,
                    new QueueQuery { Ids = [document.Id] },
                    new QueueFilter { Ids = [document.Id] },
                    count: 1,
                    PageUrl.OfMessage(document.Id)),
            };
        return await ShowAsync<Message>(frame, ("Id", document.Id), ("View", (Part<MessageView?>)view));
    }

    private async ValueTask<PageAnswer> QueueAsync(PageCall call)
    {
        var query = QueueQuery.Read(call.Get, call.All("id"));
        var (filter, wrong) = query.ToFilter(call.Frame.Now);
        if (filter is null)
            return await ShowAsync<Queue>(call.Frame, ("View", new QueueView(query, wrong!, new QueuePage(0, []))));
        (string Name, string? Value)[] parameters = [.. QueueParameters.Pairs(filter).Select(static one => (one.Name, (string?)one.Value))];
        var statistics = await call.AskAsync<QueueStatistics>("GET", "/queue/destinations", body: null, [.. parameters, ("most", "10")]);
        var page = await call.AskAsync<QueuePage>(
            "GET",
            "/queue",
            body: null,
            [.. parameters, ("limit", QueueQuery.Most.ToString(CultureInfo.InvariantCulture)), ("after", query.After)]);
        var status = call.Caller.May(Scopes.StatusRead) ? (await call.AskAsync<StatusDocument>("GET", "/status", body: null)).Value : null;
        var view = new QueueView(query, statistics.Part, page.Part)
        {
            MayChange = call.Caller.May(Scopes.QueueWrite),
            Blocked = BlockedBy(status),
            Waits = status is null
                ? ImmutableDictionary<string, string>.Empty
                : status.Deliveries.Waits.DistinctBy(static one => one.Name)
                    .ToImmutableDictionary(static one => one.Name, static one => one.Why),
        };
        if (view.MayChange && QueueAsk.Find(call.Get("ask")) is { } action)
        {
            var trial = await call.AskAsync<QueueTrial>(
                "POST", "/queue/changes", new ChangeQueue(action, filter) { DryRun = true, Everything = filter.IsEverything });
            view = trial.Value is { } shown
                ? view with { Ask = QueueAsk.Of(action, query, filter, shown.Matched, query.Url) }
                : view with { Blocked = trial.Trouble };
        }

        return await ShowAsync<Queue>(call.Frame with { Live = LiveOf(call, "mail") }, ("View", view));
    }

    /// <summary>The second press.</summary>
    private async ValueTask<PageAnswer> ChangeAsync(PageCall call)
    {
        var query = QueueQuery.Read(call.Get, call.All("id"));
        var (filter, wrong) = query.ToFilter(call.Frame.Now);
        var back = PageUrl.Local(call.Get("return"));
        if (filter is null || QueueAsk.Find(call.Get("action")) is not { } action)
            return await FailAsync(call.Frame, "Nothing was changed", wrong ?? new Trouble("there is no such action", "Go back."), 400);
        var change = new ChangeQueue(action, filter, call.Get("with")) { Everything = filter.IsEverything, Reason = call.Get("reason") };
        // What was typed into the question is part of what is confirmed: the number that was shown is compared with that of now.
        var trial = await call.AskAsync<QueueTrial>("POST", "/queue/changes", change with { DryRun = true });
        if (trial.Value is not { } now)
            return await FailAsync(call.Frame, "Nothing was changed", trial.Trouble, trial.Problem!.Status);
        var typed = now.Matched > Confirmation.MostUntyped ? Number(call.Get("count")) : now.Matched;
        if (Number(call.Get(QueueAsk.Shown)) != now.Matched || typed != now.Matched)
            return await FailAsync(
                call.Frame,
                "Nothing was changed",
                new Trouble($"{Figures.Count(now.Matched, "message")} are meant by now", "Look at the queue again, and press again.")
                {
                    Word = "changed meanwhile",
                },
                409);
        var asked = await call.AskAsync<QueueChange>("POST", "/queue/changes", change with { Token = now.Token });
        if (asked.Value is not { } done)
            return await FailAsync(call.Frame, "Nothing was changed", asked.Trouble, asked.Problem!.Status);
        return new PageAnswer.Elsewhere(
            back,
            $"Done to {Figures.Count(done.Changed)} of {Figures.Count(done.Matched, "message")}{(done.Ref is { } r ? $" ({r})" : null)}.");
    }

    private async ValueTask<PageAnswer> ExplainAsync(PageCall call)
    {
        var view = new ExplainView(ExplainView.TabWords.FirstOrDefault(word => word == call.Get("tab")) ?? ExplainView.ReferenceTab)
        {
            Reference = call.Get("ref"),
            Question = WhatIfFields.Read(call.Get),
            Listeners = call.Caller.May(Scopes.StatusRead)
                ? [.. (await call.AskAsync<StatusDocument>("GET", "/status", body: null)).Value?.Listeners
                    .Where(static l => l.Protocol is null).Select(static l => l.Name).Distinct() ?? []]
                : [],
        };
        if (view is { Tab: ExplainView.ReferenceTab, Reference: { } reference })
        {
            if (QueueId.TryParse(reference, out var id))
                return new PageAnswer.Elsewhere(PageUrl.Of(PageUrl.OfMessage(id.ToString()), ("tab", MessageView.DecisionsTab)));
            var asked = await call.AskAsync<DecisionDocument>("GET", "/decisions/{ref}", body: null, ("ref", reference));
            view = view with
            {
                Found = asked.Value is { } found
                    ? new ExplainedReference(IsMalformed: false, [.. found.Decisions.Select(DecisionView.Of)], found.Coalesced)
                    : asked.IsNotFound
                        ? new ExplainedReference(!Relay.Policy.DecisionReference.TryParse(reference, out _), [], [])
                        : asked.Trouble,
            };
        }
        else if (view is { Tab: ExplainView.WhatIfTab, Question: { IsAsked: true } question })
        {
            var asked = await call.AskAsync<WhatIfAnswer>("POST", "/explain", QuestionOf(question));
            view = view with { Answer = asked.Value is { } answer ? WhatIfStory.Of(answer) : asked.Trouble };
        }

        return await ShowAsync<Explain>(call.Frame, ("View", view));
    }

    private static int? Number(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static ValueTask<PageAnswer> PreferAsync(PageCall call) => new(new PageAnswer.Elsewhere(PageUrl.Local(call.Get("return")))
    {
        Preferences = Preferences.Of(call.Get("theme"), call.Get("clock"), call.Get("keys")),
    });

    private static WhatIf QuestionOf(WhatIfFields asked) => new(asked.Client ?? string.Empty, asked.From ?? "<>", asked.To)
    {
        Login = asked.Login,
        Credential = asked.Credential,
        IsTls = asked.Tls,
        Listener = asked.Listener,
        Helo = asked.Helo,
        HeaderFrom = asked.HeaderFrom,
    };

    /// <summary>One hit opens at once.</summary>
    private static string? Only(MessageList found, SearchReading reading) => found is { Items: [var only], Next: null }
        ? only.Id is { } id ? PageUrl.OfMessage(id)
            : reading.Kind == SearchReading.Reference && only.Ref is { } reference ? PageUrl.OfReference(reference)
            : null
        : null;

    private static async ValueTask<Part<MessageList>> FindAsync(PageCall call, MessagesQuery query, SearchReading? reading)
    {
        var (asked, wrong) = query.ToAuditQuery(call.Frame.Now);
        if (asked is null)
            return wrong!;
        if (reading is not null)
            asked = reading.Narrow(asked);
        return (await call.AskAsync<MessageList>(
            "GET",
            "/messages",
            body: null,
            ("from", asked.Sender),
            ("to", asked.Recipient),
            ("domain", asked.Domain),
            ("messageId", asked.MessageId),
            ("login", asked.Login),
            ("client", asked.Client?.ToString()),
            ("tenant", asked.Tenant),
            ("outcome", query.Tab is "refused" or "failed" or "deferred" ? query.Tab : null),
            ("rule", asked.Rule),
            ("route", asked.Route),
            ("category", asked.Category),
            ("ref", asked.Ref),
            ("since", asked.Since?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)),
            ("until", asked.Until?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)),
            ("limit", MessagesQuery.Most.ToString(CultureInfo.InvariantCulture)),
            ("after", query.After))).Part;
    }

    /// <summary>Why nothing comes into the queue, or goes out of it.</summary>
    private static Trouble? BlockedBy(StatusDocument? status) => status switch
    {
        null => null,
        { Queue: { Condition: not "writable" } queue } => new Trouble(
            $"the queue takes no mail ({queue.Condition}): {queue.Reason}", "Make room on its disk, or mend that; it goes on by itself.")
        {
            Word = "takes no mail", Meanwhile = "Clients are told 452 4.3.1 and try again later. What is queued goes out.",
        },
        { Deliveries.HeldBecause: { } why } => new Trouble($"no delivery is made: {why}", "postern status tells more.")
        {
            Word = "sends nothing", Meanwhile = "Mail is accepted and waits.",
        },
        _ => null,
    };

    private static LoadFigures LoadOf(StatusDocument status) => new(
        new State(status.Load.State, status.Load.State switch { "normal" => Tone.Good, "stressed" => Tone.Warn, _ => Tone.Bad }),
        status.Load.Gauge,
        status.Load.Value)
    {
        Connections = status.Connections, DeliveryConnections = status.Deliveries.Connections,
    };

    private static bool AnyLog(PageCall call) =>
        call.Server.Logs is { } logs && Directory.Exists(logs) && Directory.EnumerateFiles(logs, "mail-*").Any();

    /// <summary>Null where the page is not to come anew by itself, and for who may not watch.</summary>
    private static string? LiveOf(PageCall call, string kind, params ReadOnlySpan<(string Name, string? Value)> more) =>
        call.Get("live") == "0" || !call.Caller.May(Scopes.EventsRead)
            ? null
            : PageUrl.Of(Calls.Route.Base + "/events/stream", [("kind", kind), .. more]);

    private ValueTask<PageAnswer> ShowAsync<TPage>(PageFrame frame, params (string Name, object Value)[] parameters)
        where TPage : Microsoft.AspNetCore.Components.IComponent => ShowAsync<TPage>(frame, 200, parameters);

    private async ValueTask<PageAnswer> ShowAsync<TPage>(PageFrame frame, int status, params (string Name, object Value)[] parameters)
        where TPage : Microsoft.AspNetCore.Components.IComponent
    {
        var all = parameters.ToDictionary(static p => p.Name, static p => (object?)p.Value);
        all["Frame"] = frame;
        return new PageAnswer.Html(await renderer.RenderAsync<TPage>(all), status);
    }
}
