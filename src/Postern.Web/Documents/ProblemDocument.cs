using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Postern.Web.Documents;

/// <summary>Why a call was not done (RFC 9457).</summary>
/// <param name="Type"><c>/problems/WORD</c>: where the word is explained.</param>
/// <param name="Title">The same for each problem of the type.</param>
/// <param name="Status">The status of the answer.</param>
/// <param name="Detail">This one, in a sentence for people. It may hold what came from elsewhere.</param>
internal sealed record ProblemDocument(string Type, string Title, int Status, string? Detail)
{
    /// <summary>The id of the call, which stands in the server's log too.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Instance { get; init; }

    /// <summary>What to do about it; null where that is plain.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Todo { get; init; }

    /// <summary>Each mistake by itself; null where there is but one thing to say.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<Mistake>? Errors { get; init; }

    /// <summary>The scope that is missing, of <c>scope-missing</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Scope { get; init; }

    /// <summary>Messages that a filter meets now, of <c>count-changed</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Matched { get; init; }

    /// <summary>Confirms that number, of <c>count-changed</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Token { get; init; }

    /// <summary>Seconds after which it may be tried again; null where that does not help. It is told in a header.</summary>
    [JsonIgnore]
    public int? RetryAfter { get; init; }

    /// <param name="Pointer">Where: a JSON pointer into the body (RFC 6901), or <c>?name</c> for a parameter.</param>
    internal sealed record Mistake(string Pointer, string Detail);
}
