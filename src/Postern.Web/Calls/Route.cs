using System.Collections.Immutable;
using Postern.Web.Access;

namespace Postern.Web.Calls;

/// <summary>One line of the API: all that is to be known of it. What it does is a function from the call to the answer.</summary>
/// <param name="Method">GET, PUT, POST or DELETE.</param>
/// <param name="Template">Below <see cref="Base"/>: <c>/queue/{id}</c>.</param>
/// <param name="Scope">What the caller needs.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="AskAsync">Called only for whoever may, with everything read.</param>
internal sealed record Route(
    string Method, string Template, Scopes Scope, string Summary, Func<Call, ValueTask<Answer>> AskAsync)
{
    /// <summary>Tenants may ask too, and see their own; else it is the whole server's, and not there for them.</summary>
    public bool IsForTenants { get; init; }

    /// <summary>A proof of the last ten minutes is needed of people.</summary>
    public bool AsksProof { get; init; }

    /// <summary>It looks through much: few of them at once.</summary>
    public bool IsSearch { get; init; }

    /// <summary>Of the path and of the query.</summary>
    public ImmutableArray<Parameter> Parameters { get; init; } = [];

    /// <summary>The type of the body; null where there is none.</summary>
    public Type? Takes { get; init; }

    /// <summary>The type of the document of the answer; null where it is none.</summary>
    public Type? Gives { get; init; }

    /// <summary>It changes something.</summary>
    public bool Changes => Method != "GET" && !IsQuestion;

    /// <summary>A POST that only asks, as its question is too long for an address.</summary>
    public bool IsQuestion { get; init; }

    public bool IsInPath(Parameter parameter) => Template.Contains($"{{{parameter.Name}}}", StringComparison.Ordinal);

    /// <summary>Why this caller may not; null for one who may.</summary>
    /// <param name="now">For proofs that grow old.</param>
    public Answer? WhyNot(Caller caller, DateTimeOffset now)
    {
        if (caller.IsNobody)
            return Answer.No(Problems.Unauthenticated, "This needs a key or a session.");
        if (caller.Tenant is not null && !IsForTenants)
            return Answer.No(Problems.NoRoute, $"There is nothing at {Base}{Template} for a tenant.");
        if (!caller.May(Scope))
            return new Answer.Refused(Problems.ScopeMissing.Of($"This needs the scope {ScopeWords.WordOf(Scope)}.")
                with { Scope = ScopeWords.WordOf(Scope) });
        return AsksProof && caller.ProvedAt is { } at && now - at > ProofHolds
            ? Answer.No(Problems.ProveAgain, "Give the password again.")
            : null;
    }

    /// <summary>Where the API is.</summary>
    public const string Base = "/api/v1";

    /// <summary>How long a person need not prove it again.</summary>
    public static TimeSpan ProofHolds { get; } = TimeSpan.FromMinutes(10);
}
