using System.Collections.Immutable;
using Postern.Relay.Audit;
using Postern.Web.Calls;

namespace Postern.Web.Api;

/// <summary>How a question about the log stands in an address, whatever is listed of what is found.</summary>
internal static class SearchParameters
{
    public static readonly Parameter<string> From = Parameter.Text("from", "The envelope's sender: an address, a domain, or <>");
    public static readonly Parameter<string> To = Parameter.Text("to", "A recipient: an address or a domain");
    public static readonly Parameter<string> Domain = Parameter.Text("domain", "The domain of the sender or of a recipient");
    public static readonly Parameter<string> MessageId = Parameter.Text("messageId", "The Message-ID, with or without its brackets");
    public static readonly Parameter<string> QueueId = Parameter.Text("queueId", "The message");
    public static readonly Parameter<string> Login = Parameter.Text("login", "The user, or the identity acted as");
    public static readonly Parameter<string> Client = Parameter.Network("client", "From this address or network");
    public static readonly Parameter<string> Tenant = Parameter.Text("tenant", "Of accounts of this tenant");
    public static readonly Parameter<string> Rule = Parameter.Text("rule", "The rule that decided");
    public static readonly Parameter<string> ByRoute = Parameter.Text("route", "The route of a delivery, as it is configured");
    public static readonly Parameter<string> Category = Parameter.Text("category", "Why a delivery failed or waits");
    public static readonly Parameter<string> Ref = Parameter.Text("ref", "The reference of a decision");
    public static readonly Parameter<string> Session = Parameter.Text("session", "The session");
    public static readonly Parameter<DateTimeOffset?> Since = Parameter.Time("since", "At this time or later");
    public static readonly Parameter<DateTimeOffset?> Until = Parameter.Time("until", "Before this time");
    public static readonly Parameter<string> After = Parameter.Text("after", "next of the page before");

    /// <summary>Those that narrow what is looked for, but for when.</summary>
    public static ImmutableArray<Parameter> Filters { get; } =
        [From, To, Domain, MessageId, QueueId, Login, Client, Tenant, Rule, ByRoute, Category, Ref, Session];

    /// <summary>What was said, within what the caller sees.</summary>
    public static AuditQuery Read(Call call) => call.Narrow(new AuditQuery
    {
        Sender = call.Get(From),
        Recipient = call.Get(To),
        Domain = call.Get(Domain),
        MessageId = call.Get(MessageId),
        QueueId = call.Get(QueueId),
        Login = call.Get(Login),
        Client = call.Get(Client) is { } client ? AuditQuery.NetworkOf(client) : null,
        Tenant = call.Get(Tenant),
        Rule = call.Get(Rule),
        Route = call.Get(ByRoute),
        Category = call.Get(Category),
        Ref = call.Get(Ref),
        Session = call.Get(Session),
        Since = call.Get(Since),
        Until = call.Get(Until),
    });

    /// <summary>Where an earlier page ended, null for the first; or that this is no such place.</summary>
    public static bool TryReadAfter(Call call, out AuditCursor? after, out Answer? objection)
    {
        (after, objection) = (null, null);
        if (call.Get(After) is { } text && !AuditCursor.TryParse(text, out after))
            objection = Answer.No(Problems.CursorExpired, $"'{text}' is not where a page ended.");
        return objection is null;
    }
}
