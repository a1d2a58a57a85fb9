using System.Text.Json.Serialization.Metadata;
using Postern.Relay.Admin;
using Postern.Web.Documents;

namespace Postern.Web.Calls;

/// <summary>What a call came to. The door writes it; a route never does.</summary>
internal abstract record Answer
{
    private Answer()
    {
    }

    /// <summary>One JSON document.</summary>
    public sealed record Document(object Value, JsonTypeInfo Type, int Status = 200) : Answer;

    /// <summary>Octets that come from the network, or are for a program: never shown by a browser.</summary>
    /// <param name="WriteAsync">False where they are there no more.</param>
    public sealed record Octets(long Length, string FileName, Func<Stream, CancellationToken, ValueTask<bool>> WriteAsync) : Answer;

    /// <summary>Documents as they come, until the caller goes away.</summary>
    public sealed record Live(IAsyncEnumerable<StreamItem> Items) : Answer;

    /// <summary>Not done.</summary>
    public sealed record Refused(ProblemDocument Problem) : Answer;

    public static Answer Of<T>(T value, int status = 200)
        where T : notnull => new Document(value, ApiJson.TypeOf(typeof(T)), status);

    /// <summary>The value, or that there is none of that name.</summary>
    public static Answer OrNotFound<T>(T? value, string detail)
        where T : class => value is null ? No(Problems.NotFound, detail) : Of(value);

    public static Refused No(ProblemType problem, string? detail, string? todo = null) =>
        new(problem.Of(detail) with { Todo = todo });

    public static Refused Wrong(string pointer, string detail) =>
        new(Problems.Invalid.Of(detail) with { Errors = [new(pointer, detail)] });

    /// <summary>What became of a change of the directory.</summary>
    public static Answer Of(AdminOutcome outcome) => outcome switch
    {
        AdminOutcome.Issued issued => new Document(
            OutcomeDocument.Of(issued), ApiJson.TypeOf(typeof(OutcomeDocument)), Status: 201),
        AdminOutcome.Done or AdminOutcome.AlreadyThere => Of(OutcomeDocument.Of(outcome)),
        AdminOutcome.NotFound => No(Problems.NotFound, outcome.Message),
        _ => No(Problems.NotDone, outcome.Message),
    };
}

/// <summary>One part of a stream.</summary>
/// <param name="Id">By which the caller goes on where it broke off; null where it cannot.</param>
/// <param name="Kind">What it is; null for the usual.</param>
internal readonly record struct StreamItem(string? Id, string? Kind, string Json);
