using System.Collections.Immutable;
using Microsoft.AspNetCore.Components;
using Postern.Relay.Admin;
using Postern.Relay.Spool;
using Postern.Web.Documents;
using Postern.Web.Pages;
using Postern.Web.Parts;

namespace Postern.Web.Tests.Pages;

/// <summary>One page in one state.</summary>
/// <param name="Name">The page and its state: <c>queue-empty</c>.</param>
/// <param name="RenderAsync">With a frame of its own choice.</param>
internal sealed record SamplePage(string Name, Func<PageRenderer, Func<PageFrame, PageFrame>, Task<string>> RenderAsync)
{
    public override string ToString() => Name;
}

/// <summary>Every page in each of its states, and what else it can look like.</summary>
internal static class SamplePages
{
    public static readonly string[] Names = [.. Of(static text => text).Select(static page => page.Name)];

    /// <param name="say">What becomes of each text that can come from elsewhere.</param>
    public static ImmutableArray<SamplePage> Of(Func<string, string> say)
    {
        var samples = new Samples(say);
        var story = MessageStory.Of(samples.Document());
        Part<MessageView?> Told(MessageView view) => (Part<MessageView?>)view;
        var queue = new QueueView(new QueueQuery(), samples.Statistics, samples.QueuePage(QueueQuery.Most))
        {
            MayChange = true,
            Waits = ImmutableDictionary<string, string>.Empty.Add(say("example.net"), say("20 messages a minute go there")),
        };
        var chosen = new QueueQuery { To = say("example.net") };
        return
        [
            Overview("overview-full", samples.Frame with { Refreshes = true }, samples.Overview),
            Overview("overview-well", samples.Frame, samples.Overview with { Problems = ImmutableArray<OpenProblem>.Empty }),
            Overview("overview-empty", samples.Frame, samples.Overview with
            {
                IsNew = true, Problems = ImmutableArray<OpenProblem>.Empty, Traffic = Samples.Traffic(isEmpty: true), Queue = Samples.EmptyQueue,
                Logins = new LoginFigures(0, 0, Samples.Now.AddMinutes(-2), 0), Certificates = ImmutableArray<CertificateFigures>.Empty,
            }),
            Overview("overview-error", samples.Frame with { State = new("degraded", Tone.Warn) }, samples.Overview with
            {
                Problems = samples.LogTrouble, Queue = new Trouble(say("the spool cannot be read: Input/output error"), "Look at the disk: dmesg") { Since = Samples.Now.AddMinutes(-3) },
                Logins = samples.LogTrouble,
            }),
            Overview("overview-stale", samples.Stale, samples.Overview),
            Messages("messages-full", samples.Frame, new MessagesView(new MessagesQuery(), samples.Messages(50))),
            Messages("messages-found", samples.Frame with { Search = say("bart@example.net") }, new MessagesView(
                new MessagesQuery { Q = say("bart@example.net") }, samples.Messages(7) with { Next = null, SearchedBackTo = Samples.Now.AddDays(-18) })
            {
                Reading = new SearchReading(SearchReading.Recipient, say("bart@example.net")),
                OtherReadings = [new(SearchReading.Sender, say("bart@example.net")), new(SearchReading.Login, say("bart@example.net"))],
            }),
            Messages("messages-refused", samples.Frame, new MessagesView(new MessagesQuery { Tab = "refused" }, Refusals(samples))),
            Messages("messages-empty", samples.Frame with { Search = say("nobody@example.net") }, new MessagesView(
                new MessagesQuery { Q = say("nobody@example.net") }, new MessageList([], null, null))
            {
                Reading = new SearchReading(SearchReading.Recipient, say("nobody@example.net")),
                OtherReadings = [new(SearchReading.Sender, say("nobody@example.net"))],
                LogBegins = Samples.Now.AddDays(-41),
            }),
            Messages("messages-error", samples.Frame, new MessagesView(new MessagesQuery(), samples.LogTrouble)),
            Messages("messages-stale", samples.Stale with { Ignored = [say("colour"), say("x")] }, new MessagesView(new MessagesQuery(), samples.Messages(6))),
            Message("message-full", samples.Frame with { Refreshes = true }, Told(story with { MayChange = true })),
            Message("message-recipients", samples.Frame, Told(story with { Tab = MessageView.RecipientsTab })),
            Message("message-decisions", samples.Frame, Told(story with { Tab = MessageView.DecisionsTab })),
            Message("message-headers", samples.Frame, Told(story with { Tab = MessageView.HeadersTab, Headers = samples.Headers })),
            Message("message-ask", samples.Frame, Told(story with
            {
                MayChange = true, Ask = QueueAsk.Of(
                    QueueAction.Bounce, new QueueQuery { Ids = [Samples.Id] }, new QueueFilter { Ids = [Samples.Id] }, 1, PageUrl.OfMessage(Samples.Id)),
            })),
            Message("message-empty", samples.Frame, (MessageView?)null),
            Message("message-error", samples.Frame, samples.LogTrouble),
            Message("message-stale", samples.Stale, Told(story with { Tab = MessageView.RecipientsTab })),
            Queue("queue-full", samples.Frame with { Notice = say("Held 12 messages.") }, queue),
            Queue("queue-ask", samples.Frame, queue with
            {
                Query = chosen, Ask = QueueAsk.Of(QueueAction.Remove, chosen, new QueueFilter { To = chosen.To }, 640, chosen.Url),
            }),
            Queue("queue-empty", samples.Frame, new QueueView(new QueueQuery(), Samples.EmptyQueue, new QueuePage(0, []))
            {
                LastDelivery = Samples.Now.AddSeconds(-12),
            }),
            Queue("queue-error", samples.Frame with { State = new("takes no mail", Tone.Bad) }, queue with
            {
                Items = samples.QueuePage(3),
                Blocked = new Trouble(say("the queue takes no mail: disk full"), "Make room on the disk of /var/lib/postern; it goes on by itself.")
                {
                    Word = "takes no mail",
                    Meanwhile = "Clients are told 452 4.3.1 and try again later. What is queued goes out.",
                },
                Statistics = new Trouble(say("the spool cannot be read: Input/output error"), "Look at the disk: dmesg"),
            }),
            Queue("queue-stale", samples.Stale, queue with { Items = samples.QueuePage(8) }),
            Explain("explain-full", samples.Frame, new ExplainView(ExplainView.ReferenceTab) { Reference = "7QW4T2", Found = samples.Explained }),
            Explain("explain-what-if", samples.Frame, new ExplainView(ExplainView.WhatIfTab)
            {
                Listeners = ["submission", say("devices")],
                Question = new WhatIfFields { Client = "192.0.2.7", From = say("app@example.org"), To = say("lisa@example.com"), Login = say("app") },
                Answer = samples.WhatIf,
            }),
            Explain("explain-ask", samples.Frame, new ExplainView(ExplainView.WhatIfTab) { Listeners = ["submission"] }),
            Explain("explain-simulate", samples.Frame, new ExplainView(ExplainView.SimulateTab)),
            Explain("explain-empty", samples.Frame, new ExplainView(ExplainView.ReferenceTab)),
            Explain("explain-error", samples.Frame, new ExplainView(ExplainView.ReferenceTab)
            {
                Reference = say("hello"), Found = new ExplainedReference(IsMalformed: true, [], []),
            }),
            Explain("explain-stale", samples.Stale, new ExplainView(ExplainView.ReferenceTab) { Reference = "7QW4T2", Found = samples.LogTrouble }),
            Explain("explain-tenant", samples.Frame with { Tenant = say("mytenant"), Role = "tenant-manager" }, new ExplainView(ExplainView.ReferenceTab)
            {
                Reference = "7QW4T3", Found = new ExplainedReference(IsMalformed: false, [], []),
            }),
            Failure("failure", samples.Frame, "It went wrong here", samples.LogTrouble),
        ];
    }

    private static MessageList Refusals(Samples samples) => samples.Messages(50) is var all
        ? all with { Items = [.. all.Items.Where(static row => row.State == "refused")] }
        : all;

    private static SamplePage Overview(string name, PageFrame frame, OverviewView view) =>
        Page<Web.Pages.Overview>(name, frame, new() { ["View"] = view });

    private static SamplePage Messages(string name, PageFrame frame, MessagesView view) =>
        Page<Web.Pages.Messages>(name, frame with { Url = view.Query.Url }, new() { ["View"] = view });

    private static SamplePage Message(string name, PageFrame frame, Part<MessageView?> view) =>
        Page<Web.Pages.Message>(name, frame with { Url = PageUrl.OfMessage(Samples.Id) }, new() { ["View"] = view, ["Id"] = Samples.Id });

    private static SamplePage Queue(string name, PageFrame frame, QueueView view) =>
        Page<Web.Pages.Queue>(name, frame with { Url = view.Query.Url }, new() { ["View"] = view });

    private static SamplePage Explain(string name, PageFrame frame, ExplainView view) =>
        Page<Web.Pages.Explain>(name, frame with { Url = ExplainView.Path }, new() { ["View"] = view });

    private static SamplePage Failure(string name, PageFrame frame, string title, Trouble trouble) =>
        Page<Web.Pages.Failure>(name, frame, new() { ["Title"] = title, ["Trouble"] = trouble });

    private static SamplePage Page<T>(string name, PageFrame frame, Dictionary<string, object?> parameters)
        where T : IComponent => new(
        name, (renderer, change) => renderer.RenderAsync<T>(new(parameters) { ["Frame"] = change(frame) }));
}
