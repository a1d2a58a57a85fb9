using Postern.Web.Documents;

namespace Postern.Web.Calls;

/// <summary>One kind of problem; the word names it for good.</summary>
internal sealed record ProblemType(string Word, int Status, string Title, string Meaning)
{
    public const string Path = "/problems/";

    public ProblemDocument Of(string? detail) => new(Path + Word, Title, Status, detail);
}
