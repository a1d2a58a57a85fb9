using System.Collections.Immutable;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Web.Documents;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>What of the queue is shown, in the words of its address; empty fields do not narrow it.</summary>
public sealed record QueueQuery
{
    public const string Path = "/queue";

    /// <summary>Messages of one page.</summary>
    public const int Most = 40;

    public static ImmutableArray<string> Outcomes { get; } = ["waiting", "deferred", "held"];

    /// <summary>The names of its query parameters, as the API and the commands have them.</summary>
    public static ImmutableArray<string> Names { get; } =
    [
        "from", "to", "domain", "login", "client", "tenant", "cause", "outcome", "older-than", "until", "id", "after", "ask", "live",
    ];

    public string? From { get; init; }

    public string? To { get; init; }

    public string? Domain { get; init; }

    public string? Login { get; init; }

    public string? Client { get; init; }

    public string? Tenant { get; init; }

    /// <summary>A text in the last reply.</summary>
    public string? Cause { get; init; }

    public string? Outcome { get; init; }

    /// <summary>Arrived before so long ago: <c>2h</c>.</summary>
    public string? OlderThan { get; init; }

    /// <summary>Arrived before this time, RFC 3339: what <see cref="OlderThan"/> meant when it was asked.</summary>
    public string? Until { get; init; }

    /// <summary>Messages that were chosen one by one.</summary>
    public ImmutableArray<string> Ids { get; init; } = [];

    public string? After { get; init; }

    /// <summary>Nothing is asked.</summary>
    public bool IsPlain => Ids.IsEmpty
        && (From ?? To ?? Domain ?? Login ?? Client ?? Tenant ?? Cause ?? Outcome ?? OlderThan ?? Until) is null;

    /// <param name="get">The value of a query parameter; null where there is none.</param>
    /// <param name="ids">Those of <c>id</c>, which may stand there more than once.</param>
    public static QueueQuery Read(Func<string, string?> get, IEnumerable<string?> ids)
    {
        string? Text(string name) => get(name)?.Trim() is { Length: > 0 and <= SearchText.Most } text ? text : null;
        return new QueueQuery
        {
            From = Text("from"),
            To = Text("to"),
            Domain = Text("domain"),
            Login = Text("login"),
            Client = Text("client"),
            Tenant = Text("tenant"),
            Cause = Text("cause"),
            Outcome = Text("outcome"),
            OlderThan = Text("older-than"),
            Until = Text("until"),
            Ids = [.. ids.OfType<string>().Take(Most)],
            After = Text("after"),
        };
    }

    /// <summary>The parameters that say which messages are meant.</summary>
    public ImmutableArray<(string Name, string? Value)> Parameters =>
    [
        ("from", From), ("to", To), ("domain", Domain), ("login", Login), ("client", Client), ("tenant", Tenant), ("cause", Cause),
        ("outcome", Outcome), ("older-than", OlderThan), ("until", Until), .. Ids.Select(static id => ("id", (string?)id)),
    ];

    public string Url => PageUrl.Of(Path, [.. Parameters, ("after", After)]);

    /// <summary>The command that does something to these messages.</summary>
    public string Command(string action, string? with = null) => Shell.Line(
        (IsPlain && action is not ("list" or "stats") ? $"postern queue {action} --all" : $"postern queue {action}")
            + string.Concat(Ids.Select(static id => " " + Shell.Quote(id))),
        [
            ("--from", From), ("--to", To), ("--domain", Domain), ("--login", Login), ("--client", Client), ("--tenant", Tenant),
            ("--cause", Cause), ("--outcome", Outcome), ("--older-than", OlderThan), ("--until", Until),
            (action == "reroute" ? "--via" : "--reason", with),
        ]);

    /// <summary>Which messages are meant; or what is wrong with the question.</summary>
    internal (QueueFilter? Filter, Trouble? Wrong) ToFilter(DateTimeOffset now)
    {
        if (Client is not null && Relay.Audit.AuditQuery.NetworkOf(Client) is null)
            return (null, new Trouble($"'{Client}' is neither an address nor a network", "Write client=192.0.2.0/24, or an address."));
        if (Outcome is not null && !Outcomes.Contains(Outcome))
            return (null, new Trouble($"'{Outcome}' is no state", $"Write one of {string.Join(", ", Outcomes)}."));
        if (OlderThan is not null && Moments.Span(OlderThan) is null)
            return (null, new Trouble($"'{OlderThan}' is no length of time", "Write older-than=2h, or older-than=3d."));
        if (Until is not null && Moments.Read(Until, now) is null)
            return (null, new Trouble($"'{Until}' is no time", "Write until=2026-11-29T10:15:03Z."));
        if (Ids.FirstOrDefault(static id => !QueueId.TryParse(id, out _)) is { } wrong)
            return (null, new Trouble($"'{wrong}' is no queue id", "Choose messages of the list."));
        if (After is not null && !QueueId.TryParse(After, out _))
            return (null, new Trouble("the place to go on from is not one of this list", "Begin at the first page."));
        return (new QueueFilter
        {
            Ids = Ids,
            From = From,
            To = To,
            Domain = Domain,
            Login = Login,
            Client = Client,
            Tenant = Tenant,
            Cause = Cause,
            Outcome = Outcome,
            ArrivedBefore = OlderThan is not null ? now - Moments.Span(OlderThan) : Until is not null ? Moments.Read(Until, now) : null,
        }, null);
    }
}
