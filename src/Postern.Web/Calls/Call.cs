using System.Collections.Immutable;
using Microsoft.Extensions.Primitives;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Spool;
using Postern.Web.Access;
using Postern.Web.Documents;

namespace Postern.Web.Calls;

/// <summary>One question, read and allowed; by whichever door it came.</summary>
internal sealed class Call
{
    private readonly Dictionary<Parameter, object> values;
    private readonly object? body;

    private Call(
        Route route,
        Caller caller,
        ServedRelay server,
        Dictionary<Parameter, object> values,
        object? body,
        CancellationToken aborted)
    {
        this.values = values;
        this.body = body;
        Route = route;
        Caller = caller;
        Server = server;
        Aborted = aborted;
    }

    public Route Route { get; }

    public Caller Caller { get; }

    /// <summary>The server that is asked.</summary>
    public ServedRelay Server { get; }

    /// <summary>The caller went away.</summary>
    public CancellationToken Aborted { get; }

    public Operator By => Caller.ToOperator();

    /// <summary>Reads what stands in the address; where something is wrong there, or unknown, that is the answer.</summary>
    /// <param name="body">Of the route's type; null where it takes none.</param>
    public static (Call? Call, Answer? Objection) Read(
        Route route,
        Caller caller,
        ServedRelay server,
        IEnumerable<KeyValuePair<string, StringValues>> given,
        object? body,
        CancellationToken aborted)
    {
        var said = new Dictionary<Parameter, object>(ReferenceEqualityComparer.Instance);
        var mistakes = ImmutableArray.CreateBuilder<ProblemDocument.Mistake>();
        foreach (var (name, text) in given)
        {
            var parameter = route.Parameters.FirstOrDefault(one => one.Name == name);
            if (parameter is null)
                mistakes.Add(new($"?{name}", $"there is no parameter '{name}' here"));
            else if (said.ContainsKey(parameter))
                mistakes.Add(new($"?{name}", $"'{name}' stands in the path and behind the question mark"));
            else if (parameter.Read(text) is { } value)
                said[parameter] = value;
            else
                mistakes.Add(new($"?{name}", $"'{text}' is not right; expected {parameter.Expects}"));
        }

        if (mistakes.Count > 0)
            return (null, new Answer.Refused(
                Problems.Invalid.Of(mistakes[0].Detail) with { Errors = mistakes.ToImmutable() }));
        return (new Call(route, caller, server, said, body, aborted), null);
    }

    /// <summary>Null or default where the caller said nothing.</summary>
    public T? Get<T>(Parameter<T> parameter) => values.TryGetValue(parameter, out var value) ? (T)value : default;

    /// <summary>The body, of the type that the route takes.</summary>
    public T Body<T>()
        where T : class => (T)body!;

    /// <summary>The same question within what the caller sees.</summary>
    public QueueFilter Narrow(QueueFilter filter) =>
        Caller.Tenant is { } own ? filter with { Tenant = Within(own, filter.Tenant) } : filter;

    /// <summary>The same question within what the caller sees.</summary>
    public AuditQuery Narrow(AuditQuery query) => Caller.Tenant is { } own ? query with { Tenant = Within(own, query.Tenant) } : query;

    /// <summary>Of a tenant, null for none: the caller sees it.</summary>
    public bool Sees(string? tenant) =>
        Caller.Tenant is null || string.Equals(Caller.Tenant, tenant, StringComparison.OrdinalIgnoreCase);

    /// <summary>A name that no tenant can have: whoever asks for another's sees what is not there.</summary>
    private static string Within(string own, string? asked) =>
        asked is null || asked.Equals(own, StringComparison.OrdinalIgnoreCase) ? own : "\0";
}
