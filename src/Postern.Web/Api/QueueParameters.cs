using System.Collections.Immutable;
using System.Globalization;
using Postern.Relay.Spool;
using Postern.Web.Calls;

namespace Postern.Web.Api;

/// <summary>How a question about the queue stands in an address; read and written here alone.</summary>
internal static class QueueParameters
{
    public static readonly Parameter<ImmutableArray<string>?> Id = Parameter.Names(
        "id", "One of these messages; it may stand more than once");

    public static readonly Parameter<string> From = Parameter.Text("from", "The sender: an address, a domain, or <> for bounces");
    public static readonly Parameter<string> To = Parameter.Text("to", "A recipient that still waits: an address or a domain");
    public static readonly Parameter<string> Domain = Parameter.Text("domain", "The domain of the sender or of a recipient that waits");
    public static readonly Parameter<string> Login = Parameter.Text("login", "Submitted by this login");
    public static readonly Parameter<string> Tenant = Parameter.Text("tenant", "Of accounts of this tenant");
    public static readonly Parameter<string> Client = Parameter.Network("client", "From this address or network");
    public static readonly Parameter<string> Cause = Parameter.Text("cause", "The last reply, for a recipient that waits, holds this text");
    public static readonly Parameter<DateTimeOffset?> Since = Parameter.Time("since", "Arrived at this time or later");
    public static readonly Parameter<DateTimeOffset?> Until = Parameter.Time("until", "Arrived before this time");
    public static readonly Parameter<bool?> Held = Parameter.Flag("held", "Held by an operator, a rule or the server; or not");

    public static readonly Parameter<string> Outcome = Parameter.Word(
        "outcome", "How it stands", "waiting", "deferred", "held", "delivered", "failed");

    public static ImmutableArray<Parameter> All { get; } =
        [Id, From, To, Domain, Login, Tenant, Client, Cause, Since, Until, Held, Outcome];

    public static QueueFilter Read(Call call) => call.Narrow(new QueueFilter
    {
        Ids = call.Get(Id) ?? [],
        From = call.Get(From),
        To = call.Get(To),
        Domain = call.Get(Domain),
        Login = call.Get(Login),
        Tenant = call.Get(Tenant),
        Client = call.Get(Client),
        Cause = call.Get(Cause),
        ArrivedSince = call.Get(Since),
        ArrivedBefore = call.Get(Until),
        Held = call.Get(Held),
        Outcome = call.Get(Outcome),
    });

    /// <summary>The same as an address has it: <c>to=example.net&amp;held=true</c>; empty where nothing is set.</summary>
    public static string Write(QueueFilter filter) =>
        string.Join('&', Pairs(filter).Select(static part => $"{part.Name}={Uri.EscapeDataString(part.Value)}"));

    /// <summary>The same as names and values; what is not set is left out.</summary>
    public static IEnumerable<(string Name, string Value)> Pairs(QueueFilter filter)
    {
        (Parameter Name, string? Value)[] parts =
        [
            .. (filter.Ids.IsDefault ? [] : filter.Ids).Select(static id => ((Parameter)Id, (string?)id)),
            (From, filter.From),
            (To, filter.To),
            (Domain, filter.Domain),
            (Login, filter.Login),
            (Tenant, filter.Tenant),
            (Client, filter.Client),
            (Cause, filter.Cause),
            (Since, Text(filter.ArrivedSince)),
            (Until, Text(filter.ArrivedBefore)),
            (Held, filter.Held switch { true => "true", false => "false", null => null }),
            (Outcome, filter.Outcome),
        ];
        return parts.Where(static part => part.Value is not null).Select(static part => (part.Name.Name, part.Value!));
    }

    private static string? Text(DateTimeOffset? at) => at?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
}
