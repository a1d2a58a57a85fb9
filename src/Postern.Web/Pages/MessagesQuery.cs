using System.Collections.Immutable;
using Postern.Relay.Audit;
using Postern.Relay.Audit.Events;
using Postern.Web.Documents;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>What a list of messages is asked for, in the words of its address; empty fields do not narrow it.</summary>
public sealed record MessagesQuery
{
    public const string Path = "/messages";

    public const int Most = 50;

    /// <summary>The tabs, each with what it asks the log for; the last one asks the queue.</summary>
    public static ImmutableArray<(string Word, string Name)> Tabs { get; } =
    [
        ("all", "All"), ("refused", "Refused"), ("failed", "Failed"), ("deferred", "Deferred"), ("held", "Held"),
    ];

    /// <summary>The names of its query parameters, as the API and the commands have them.</summary>
    public static ImmutableArray<string> Names { get; } =
    [
        "tab", "q", "from", "to", "domain", "login", "client", "tenant", "messageId", "rule", "category", "route", "since", "until",
        "after", "live",
    ];

    public string Tab { get; init; } = "all";

    /// <summary>The search box.</summary>
    public string? Q { get; init; }

    public string? From { get; init; }

    public string? To { get; init; }

    public string? Domain { get; init; }

    public string? Login { get; init; }

    public string? Client { get; init; }

    public string? Tenant { get; init; }

    public string? MessageId { get; init; }

    public string? Rule { get; init; }

    public string? Category { get; init; }

    public string? Route { get; init; }

    /// <summary>A time, or how long ago: <c>2026-11-29T10:15:03Z</c>, <c>3d</c>.</summary>
    public string? Since { get; init; }

    public string? Until { get; init; }

    public string? After { get; init; }

    /// <summary>Nothing is asked but which tab.</summary>
    public bool IsPlain =>
        (Q ?? From ?? To ?? Domain ?? Login ?? Client ?? Tenant ?? MessageId ?? Rule ?? Category ?? Route ?? Since ?? Until) is null;

    /// <param name="get">The value of a query parameter; null where there is none.</param>
    public static MessagesQuery Read(Func<string, string?> get)
    {
        string? Text(string name) => get(name)?.Trim() is { Length: > 0 and <= SearchText.Most } text ? text : null;
        var tab = Text("tab");
        return new MessagesQuery
        {
            Tab = Tabs.Any(one => one.Word == tab) ? tab! : "all",
            Q = Text("q"),
            From = Text("from"),
            To = Text("to"),
            Domain = Text("domain"),
            Login = Text("login"),
            Client = Text("client"),
            Tenant = Text("tenant"),
            MessageId = Text("messageId"),
            Rule = Text("rule"),
            Category = Text("category"),
            Route = Text("route"),
            Since = Text("since"),
            Until = Text("until"),
            After = Text("after"),
        };
    }

    public string Url => PageUrl.Of(
        Path,
        [
            ("tab", Tab == "all" ? null : Tab), ("q", Q), ("from", From), ("to", To), ("domain", Domain), ("login", Login),
            ("client", Client), ("tenant", Tenant), ("messageId", MessageId), ("rule", Rule), ("category", Category), ("route", Route),
            ("since", Since), ("until", Until), ("after", After),
        ]);

    /// <summary>The same of another reading of what was pasted.</summary>
    public string UrlOf(SearchReading reading) => PageUrl.Of(
        Path, ("tab", Tab == "all" ? null : Tab), (reading.Parameter ?? "q", reading.Value), ("since", Since), ("until", Until));

    /// <summary>What the log is asked; or what is wrong with the question.</summary>
    internal (AuditQuery? Query, Trouble? Wrong) ToAuditQuery(DateTimeOffset now)
    {
        if (Client is not null && AuditQuery.NetworkOf(Client) is null)
            return (null, new Trouble($"'{Client}' is neither an address nor a network", "Write client=192.0.2.0/24, or an address."));
        if (Since is not null && Moments.Read(Since, now) is null)
            return (null, new Trouble($"'{Since}' is no time", "Write since=3d, or since=2026-11-29T10:15:03Z."));
        if (Until is not null && Moments.Read(Until, now) is null)
            return (null, new Trouble($"'{Until}' is no time", "Write until=2h, or until=2026-11-29T10:15:03Z."));
        if (After is not null && !AuditCursor.TryParse(After, out _))
            return (null, new Trouble("the place to go on from is not one of this list", "Begin at the first page."));
        var query = new AuditQuery
        {
            Kinds = Tab is "failed" or "deferred" ? AuditKind.Mail : AuditKind.Mail | AuditKind.Policy,
            AnyOutcome = Tab switch
            {
                "refused" => ["refused", "refuse"],
                "failed" or "deferred" => [Tab],
                _ => MessageSearch.Beginnings,
            },
            Sender = From,
            Recipient = To,
            Domain = Domain,
            Login = Login,
            Client = Client is null ? null : AuditQuery.NetworkOf(Client),
            Tenant = Tenant,
            MessageId = MessageId,
            Rule = Rule,
            Category = Category,
            Route = Route,
            Since = Since is null ? null : Moments.Read(Since, now),
            Until = Until is null ? null : Moments.Read(Until, now),
            Limit = Most,
        };
        return (query, null);
    }
}
